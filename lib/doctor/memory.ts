/** Memory: for the next kernel, and for restored files in the agent's cgroup. */
import { type Finding, ok, stops, warns } from "./finding.ts";
import { field, type Host, worker } from "./host.ts";

const MIB = 2 ** 20;
/** A kernel, an initramfs and the agent's copies of both take about so much. */
const NEEDED_MIB = 256;
const CGROUPS = "/sys/fs/cgroup";

export function memory(host: Host): Finding[] {
  const available = /^(\d+) kB$/.exec(field(host.text("/proc/meminfo"), "MemAvailable") ?? "")?.[1];
  if (available === undefined) return [];
  const mib = Math.floor(Number(available) / 1024);
  if (mib >= NEEDED_MIB) return [ok("memory", `${mib} MiB of memory are available`)];
  return [stops(
    "memory",
    `Only ${mib} MiB of memory are available: the next kernel and its initramfs need about ${NEEDED_MIB}`,
    "end programs, or add memory",
  )];
}

/** Restored pages are charged to the cgroup of the process that restores them. The kernel keeps an ENOMEM for the file. */
export function memoryCgroup(host: Host): Finding[] {
  const { proc, name } = worker(host);
  const own = /^0::(\/.*)$/m.exec(host.text(`${proc}/cgroup`) ?? "")?.[1];
  if (own === undefined) return [];
  const limits = upwards(own).flatMap((group) => {
    const max = host.text(`${CGROUPS}${group}/memory.max`)?.trim();
    return max === undefined || max === "max" ? [] : [{ group, bytes: Number(max) }];
  });
  const [least] = limits.toSorted((a, b) => a.bytes - b.bytes);
  if (least === undefined) return [ok("cgroup", `No cgroup limits the memory of ${name}`)];
  const unit = least.group.split("/").at(-1) ?? "";
  return [warns(
    "cgroup",
    `The cgroup ${least.group} limits ${name} to ${
      Math.floor(least.bytes / MIB)
    } MiB: a file that does not fit ` +
      "cannot be restored, and the kernel keeps that failure",
    /\.(?:service|slice|scope)$/.test(unit)
      ? `systemctl set-property ${unit} MemoryMax=infinity`
      : `echo max >${CGROUPS}${least.group}/memory.max`,
  )];
}

/** `/a/b` -> `/a/b`, `/a`. The root has no limit. */
function upwards(group: string): string[] {
  const words = group.split("/").slice(1).filter((word) => word !== "");
  return words.map((_, index) => `/${words.slice(0, words.length - index).join("/")}`);
}
