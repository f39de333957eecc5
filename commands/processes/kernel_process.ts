/** A process of the kernel that a command works with. */
import { linux } from "../../lib/linux/system_calls.ts";
import type { SystemCalls } from "../../lib/system_calls.ts";
import { backendOf, machineSocket } from "../arguments/agent_target.ts";
import type { CommonFlags } from "../arguments/command.ts";
import type { Context } from "../base/context.ts";
import { call, target } from "./agent_calls.ts";
import { limit_ms } from "./call_limit.ts";
import { connectIfRunning } from "./running_machine.ts";

/** This process on Linux, or a new one of the model's machine, which is started when none runs. */
export async function kernelProcess(context: Context, flags: CommonFlags): Promise<SystemCalls> {
  if (backendOf(flags, context.settings) === "linux") return linux();
  const socket = machineSocket(target(context, flags));
  const { connectMachine } = await import("../../lib/machine_process/remote_system_calls.ts");
  const connect = (path: string) => connectMachine(path, limit_ms("Identify", flags));
  const running = connectIfRunning(connect, socket);
  if (running !== undefined) return running;
  call(context, flags, "Identify", {});
  return connect(socket);
}
