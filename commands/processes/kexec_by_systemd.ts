/** Asks systemd for the kexec, where it carries the agent's sessions over. */
import { KNOWS_LUO, systemdVersion } from "../../lib/doctor/systemd_version.ts";
import { list_directory, read_text } from "../../ffi/proc.ts";
import { callService } from "../../lib/agent/other_service.ts";
import { LuoError } from "../../lib/error.ts";
import type { CommonFlags } from "../arguments/command.ts";
import type { Context } from "../base/context.ts";
import { Failure } from "../errors/failure.ts";
import { call } from "./agent_calls.ts";
import { bootedBySystemd } from "./booted_by_systemd.ts";

/** logind's socket (systemd-logind-varlink.socket). */
const LOGIND = "/run/systemd/io.systemd.Login";
const ANSWER_MS = 30_000;
/** How long systemd may take to stop all services. */
const SHUTDOWN_MS = 15 * 60_000;
const IMMEDIATE = "to execute it without stopping services: luo kexec exec --immediate";

/**
 * Whether systemd is the one to ask for a kexec of Linux: it is PID 1, knows live update, and has the agent's sessions in its fd
 * store.
 */
export function systemdCarries(context: Context, flags: CommonFlags): boolean {
  if (!bootedBySystemd()) return false;
  const version = systemdVersion({ text: read_text, list: list_directory });
  if (version === undefined || version === "unknown" || version < KNOWS_LUO) return false;
  return call(context, flags, "GetStatus", {}).status.agent.store !== undefined;
}

/**
 * Prepares the kexec and asks systemd for it.
 *
 * @throws Failure, AgentError it does not take place; any other error: systemd may have heard it
 */
export function askForKexec(context: Context, flags: CommonFlags, force: boolean): void {
  call(context, flags, "ExecImage", { force, prepare: true });
  askLogind();
  context.process.stderr.write("systemd stops all services and goes into the next kernel\n");
}

/** After `askForKexec`: this process ends with its kernel. @throws Failure this kernel still runs */
export async function untilKexec(): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, SHUTDOWN_MS));
  throw new Failure(
    "kernel-error",
    "Cannot see the kexec: systemd was asked for it, and this kernel still runs",
    {
      hints: ["systemd's jobs say what it waits for: systemctl list-jobs", IMMEDIATE],
    },
  );
}

function askLogind(): void {
  const failed = (why: string) => {
    const what = `Cannot execute the next kernel: systemd does not do it (${why})`;
    return new Failure("unavailable", what, { hints: ["see what systemctl kexec says", IMMEDIATE] });
  };
  try {
    const { error } = callService(LOGIND, "io.systemd.Shutdown.KExec", {}, ANSWER_MS);
    if (error !== undefined) throw failed(error);
  } catch (error) {
    if (error instanceof LuoError && error.operation === "connect") throw failed(error.code);
    throw error;
  }
}
