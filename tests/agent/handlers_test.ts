/** The kind of a preserved file, and what it means for the next kernel. */
import assert from "node:assert/strict";
import { MFD_CLOEXEC, MFD_EXEC, MFD_HUGETLB, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { close, fstat, fstatfs_type, memfd_create, open } from "../../ffi/file.ts";
import { agentPaths } from "../../lib/agent/agent_place.ts";
import { AgentState } from "../../lib/agent/agent_state.ts";
import { preserveFile } from "../../lib/agent/file_methods.ts";
import { loadImage, readyToExec } from "../../lib/agent/image_methods.ts";
import { kindOfFile } from "../../lib/agent/kind_of_file.ts";
import { VarlinkError } from "../../lib/agent/varlink.ts";
import { createSession } from "../../lib/agent/session_methods.ts";
import { check } from "../../lib/error.ts";
import { LinuxHost } from "../../lib/machine_process/linux_host.ts";
import type { Stat } from "../../lib/system_calls.ts";
import { Machine } from "../../lib/model/machine.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { withNames } from "../check/images.ts";

function openTmpfs(unlink: boolean): number {
  const path = Deno.makeTempFileSync({ dir: "/dev/shm", prefix: "luo-kind-" });
  const fd = open(path, O_RDONLY);
  if (unlink) Deno.removeSync(path);
  else addEventListener("unload", () => Deno.removeSync(path));
  return fd;
}

const CASES: readonly [what: string, open: () => number, kind: string | undefined][] = [
  ["a memfd", () => memfd_create("plain", MFD_CLOEXEC | MFD_EXEC), "memfd"],
  ["a memfd with huge pages", () => memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB), "hugetlb"],
  ["a tmpfs file without a name", () => openTmpfs(true), "memfd"],
  ["a tmpfs file with a name", () => openTmpfs(false), undefined],
  ["a tmpfs directory", () => open("/dev/shm", O_RDONLY), undefined],
  ["a device", () => open("/dev/null", O_RDONLY), undefined],
  ["a file of another file system", () => open("/proc/self/status", O_RDONLY), undefined],
];

for (const [what, openIt, kind] of CASES) {
  Deno.test(`the kind of ${what}: ${kind ?? "unknown"}`, () => {
    const fd = check(openIt(), "open", what);
    const stat = check<Stat>(fstat(fd), "fstat", what);
    assert.equal(kindOfFile(fstatfs_type(fd), stat).kind, kind);
    close(fd);
  });
}

const ME = { pid: Deno.pid, uid: 0, gid: 0 };

Deno.test("a file that is preserved after the image was loaded: exec asks for its handler again", async () => {
  const directory = Deno.makeTempDirSync();
  const running = withNames("7.3.4", ["hugetlbfs-v1"]);
  const machine = new Machine({
    release: "7.3.4",
    command_line: "liveupdate=on kho=on",
    disk: new MemoryDisk({ "/boot/vmlinuz-7.3.4": running }),
    host: new LinuxHost(),
  });
  using state = new AgentState({
    sys: machine.spawn(),
    paths: agentPaths(`${directory}/s`),
    pid: Deno.pid,
    now: () => "2026-01-01T00:00:00.000Z",
    log: () => {},
  });
  createSession(state, { name: "vm1" });
  const memfd = memfd_create("data", MFD_CLOEXEC | MFD_EXEC);
  const { file } = preserveFile(state, { session: "vm1", token: "1", fileFd: 0 }, [memfd], ME);
  assert.equal(file.kind, "memfd");
  const image = `${directory}/next`;
  Deno.writeFileSync(image, withNames("7.3.5", []));
  const request = { kernel: image, kernelFd: 0, reuseCommandLine: true };
  const { check: loaded } = await loadImage(state, request, [open(image, O_RDONLY)]);
  assert.ok(loaded?.lines.some(({ reason }) => /^memfd-v2 is handed over \(1 file now\)/.test(reason)));
  readyToExec(state, false);
  // No model takes a file with huge pages from its host.
  file.kind = "hugetlb";
  assert.throws(
    () => readyToExec(state, false),
    (error) =>
      error instanceof VarlinkError &&
      JSON.stringify(error.parameters).includes(
        "hugetlbfs-v1 is handed over (1 file now), the image knows none",
      ),
  );
  Deno.removeSync(directory, { recursive: true });
});
