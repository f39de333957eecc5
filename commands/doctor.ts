/** `luo doctor`: what would stop a live update on this host. */
import { buildCommand } from "./base/build_command.ts";
import type { Host, KnownAgent } from "../lib/doctor/host.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { backendOf } from "./arguments/agent_target.ts";
import { type CommonFlags, commonFlags, docs } from "./arguments/command.ts";
import type { Context } from "./base/context.ts";
import { EXIT } from "./base/exit_codes.ts";
import { Ended } from "./errors/program_ended.ts";
import { toFailure } from "./errors/to_failure.ts";
import { doctorText } from "./output/doctor_text.ts";
import { callRunning } from "./processes/agent_calls.ts";
import { kernelProcess } from "./processes/kernel_process.ts";

export type Result = Answers["doctor"];

export async function run(context: Context, flags: CommonFlags): Promise<Result> {
  const { kernelHost, linuxHost } = await import("../lib/doctor/host.ts");
  const { examine } = await import("../lib/doctor/examine.ts");
  const backend = backendOf(flags, context.settings);
  using sys = await kernelProcess(context, flags);
  const agent = runningAgent(context, flags);
  const host: Host = backend === "linux" ? linuxHost(sys, agent) : kernelHost(sys, agent);
  const findings = await examine(host);
  return { doctor: { backend, stopped: findings.some(({ verdict }) => verdict === "stops"), findings } };
}

function runningAgent(context: Context, flags: CommonFlags): KnownAgent | undefined {
  try {
    const { status } = callRunning(context, flags, "GetStatus", {});
    const { agent, device, image, sessions } = status;
    return {
      pid: agent.pid,
      holdsDevice: device.state === "ready",
      outgoing: sessions.filter(({ state }) => state === "outgoing").length,
      foreignImage: image.loaded && image.by !== "luo",
    };
  } catch (error) {
    const failure = toFailure(error);
    if (failure.kind === "unavailable") return undefined;
    throw failure;
  }
}

export function format({ doctor }: Result, { paint }: Pick<Context, "paint">): string {
  return doctorText(doctor, paint);
}

export const command = buildCommand<CommonFlags, [], Context>({
  docs: docs(
    "Say what would stop a live update on this host, and what to do about it",
    "Looks at the kernel, its command line, the device and the process that holds it, kexec, rights, containers, memory,\n" +
      "limits, installed kernels, systemd and the boot loader, and changes nothing. Each line that is not right has a remedy: a\n" +
      "command or a line of configuration. Exit code 0: nothing stops a live update. 4: something does.",
    [
      ["sudo luo doctor", "why is there no /dev/liveupdate"],
      [
        "luo doctor --json | jq -r '.doctor.findings[].remedy // empty'",
        "the remedies alone",
      ],
    ],
  ),
  parameters: { flags: commonFlags },
  async func(flags) {
    try {
      const result = await run(this, flags);
      const text = flags.json ? JSON.stringify(result) : format(result, this);
      this.process.stdout.write(`${text}\n`);
      if (result.doctor.stopped) return new Ended(EXIT.refused);
    } catch (error) {
      return toFailure(error);
    }
  },
});
