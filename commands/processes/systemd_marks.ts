/** Asks systemd for the moments of this boot, and of the shutdown before it. */
import { Captured, input } from "../../lib/agent/update/captured.ts";
import { MARK_PROPERTIES, marksIn } from "../../lib/report/systemd_marks.ts";
import type { Mark } from "../../lib/report/timeline.ts";
import { bootedBySystemd } from "./booted_by_systemd.ts";
import { child_status, kill } from "../../ffi/process.ts";
import { read_text } from "../../ffi/proc.ts";
import { spawn_with } from "../../ffi/spawn.ts";

const SYSTEMCTL = "/usr/bin/systemctl";
const PATIENCE_MS = 2000;
const SIGKILL = 9;

/** None for another boot than this one, without systemd, and when systemd does not answer. */
export async function systemdMarks(bootId: string | undefined): Promise<Mark[]> {
  const here = read_text("/proc/sys/kernel/random/boot_id")?.trim();
  if (bootId === undefined || bootId !== here || !bootedBySystemd()) return [];
  using stdin = input("");
  using stdout = new Captured("luo-systemctl");
  const argv = [SYSTEMCTL, "show", `--property=${MARK_PROPERTIES.join(",")}`];
  const fds = [[stdin.number, 0], [stdout.fd.number, 1], [stdin.number, 2]] as const;
  const pid = spawn_with({ path: SYSTEMCTL, argv, env: ["LC_ALL=C"], fds });
  if (pid < 0) return [];
  const timer = setTimeout(() => kill(pid, SIGKILL), PATIENCE_MS);
  const status = await child_status(pid);
  clearTimeout(timer);
  return status === 0 ? marksIn(new TextDecoder().decode(stdout.read(1 << 16))) : [];
}
