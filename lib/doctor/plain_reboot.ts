/** A plain reboot while an image is loaded and the agent holds sessions: systemctl makes a kexec of it. */
import { type Finding, warns } from "./finding.ts";
import type { Host, KnownAgent } from "./host.ts";
import { KNOWS_LUO, systemdVersion } from "./systemd_version.ts";

/** The second path is that of newer kernels, which keep the first one as a link. */
const LOADED = ["/sys/kernel/kexec_loaded", "/sys/kernel/kexec/loaded"];

/** systemctl(1), `reboot`: "If a new kernel has been loaded via kexec --load, a kexec will be performed instead of a reboot". */
export function plainReboot(host: Host): Finding[] {
  const { agent } = host;
  const held = agent?.outgoing ?? 0;
  if (agent === undefined || held === 0 || !imageIsLoaded(host)) return [];
  const sessions = held === 1 ? "its session" : `its ${held} sessions`;
  const name = `the agent (process ${agent.pid})`;
  const exec = "execute the loaded kernel with: luo kexec exec";
  const version = systemdVersion(host);
  if (version === undefined) {
    return [
      warns(
        "reboot",
        `An image is loaded: a plain reboot ends ${name} and loses ${sessions} all the same`,
        exec,
      ),
    ];
  }
  const kexec = "An image is loaded: systemctl reboot is a kexec into it";
  if (!goesOver(host, agent, version)) {
    return [warns("reboot", `${kexec}, which ends ${name} and loses ${sessions}`, exec)];
  }
  if (agent.foreignImage) {
    const text = `${kexec}. luo did not load it, so ${sessions} can be lost`;
    return [warns("reboot", text, "load the next kernel with: luo kexec load KERNEL")];
  }
  const cold = "for a cold boot, which loses the sessions: luo kexec unload; systemctl reboot";
  return [warns("reboot", `${kexec}, and ${name} takes ${sessions} along`, cold)];
}

export function imageIsLoaded({ text }: Pick<Host, "text">): boolean {
  return LOADED.some((path) => text(path)?.trim() === "1");
}

/**
 * Whether the sessions survive the shutdown: in the fd store, or because the agent's process survives it
 * (packaging/systemd/luo-agent-surviving.service).
 */
function goesOver({ text }: Host, { pid }: KnownAgent, version: number | "unknown"): boolean {
  if (/\/luo-agent-surviving\.service$/m.test(text(`/proc/${pid}/cgroup`) ?? "")) return true;
  const stored = /(?:^|\0)FDSTORE=\d+/.test(text(`/proc/${pid}/environ`) ?? "");
  return stored && version !== "unknown" && version >= KNOWS_LUO;
}
