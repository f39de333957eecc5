/** The device: whether it is there, and which process holds it. */
import { Errno, errnoName } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC, O_RDWR } from "../../ffi/abi/fcntl.ts";
import { LIVEUPDATE_DEVICE } from "../../ffi/abi/liveupdate.ts";
import { type Finding, ok, stops } from "./finding.ts";
import type { Host } from "./host.ts";

export function device(host: Host): Finding[] {
  const { agent } = host;
  if (agent?.holdsDevice) {
    return [ok("device", `The agent (process ${agent.pid}) can open ${LIVEUPDATE_DEVICE}`)];
  }
  if (!host.exists(LIVEUPDATE_DEVICE)) return [absent(host)];
  // A process that holds the device is named; opening it would only answer EBUSY.
  const held = holders(host);
  if (held.length > 0) return [heldBy(host, held)];
  const fd = host.sys.open(host.place(LIVEUPDATE_DEVICE), O_RDWR | O_CLOEXEC);
  if (fd < 0) return [refused(-fd)];
  host.sys.close(fd);
  return [ok("device", `${LIVEUPDATE_DEVICE} can be opened, and no process holds it`)];
}

function absent(host: Host): Finding {
  // /proc/misc lists the devices of drivers/char/misc.c with their minor numbers, whatever /dev shows.
  const minor = /^\s*(\d+)\s+liveupdate$/m.exec(host.text("/proc/misc") ?? "")?.[1];
  if (minor === undefined) {
    return stops(
      "device",
      `There is no ${LIVEUPDATE_DEVICE}: this kernel does not have live update, or has it switched off`,
      "see what else stops it; to try luo without it, on a software model of the kernel: --backend model",
    );
  }
  return stops(
    "device",
    `The kernel has live update, and ${LIVEUPDATE_DEVICE} is not in /dev: a container may hide it`,
    `mknod -m 600 ${LIVEUPDATE_DEVICE} c 10 ${minor}`,
  );
}

/** Other processes with an open descriptor of the device, as far as this user may see. This one may have inherited one. */
function holders(host: Host): string[] {
  const own = host.link("/proc/self");
  const pids = host.list("/proc").filter((name) => /^\d+$/.test(name) && name !== own);
  return pids.filter((pid) =>
    host.list(`/proc/${pid}/fd`).some((fd) => host.link(`/proc/${pid}/fd/${fd}`) === LIVEUPDATE_DEVICE)
  );
}

/** Processes can share one open of the device: a child inherits the descriptor. */
function heldBy(host: Host, pids: readonly string[]): Finding {
  const names = pids.map((pid) => `${pid} (${host.text(`/proc/${pid}/comm`)?.trim() ?? "unknown"})`);
  const who = names.length === 1
    ? `Process ${names[0]} holds ${LIVEUPDATE_DEVICE}`
    : `Processes ${names.join(", ")} hold ${LIVEUPDATE_DEVICE}`;
  const units = new Set(
    pids.map((pid) => /\/([^/\n]+\.service)$/m.exec(host.text(`/proc/${pid}/cgroup`) ?? "")?.[1]),
  );
  const end = units.has(undefined) ? `kill ${pids.join(" ")}` : `systemctl stop ${[...units].join(" ")}`;
  return stops(
    "device",
    `${who}: only one program can have it open`,
    `when the sessions of that program are no longer needed: ${end}`,
  );
}

function refused(errno: number): Finding {
  const what = `${LIVEUPDATE_DEVICE} cannot be opened (${errnoName(errno)})`;
  switch (errno) {
    case Errno.EACCES:
    case Errno.EPERM:
      return stops("device", what, "run luo as root: sudo luo doctor");
    case Errno.EBUSY:
      return stops(
        "device",
        `${what}: a process that cannot be seen here holds it`,
        "look as root: sudo luo doctor",
      );
    case Errno.EIO:
      return stops(
        "device",
        `${what}: the kernel cannot read what was handed over, until the next kexec`,
        "luo kexec load KERNEL, then luo kexec exec",
      );
    default:
      return stops("device", what, "the kernel's log may say why: dmesg");
  }
}
