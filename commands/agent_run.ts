/** `luo agent run`. */
import { buildCommand } from "@stricli/core";
import { docs, perform, type ServerFlags, serverFlags } from "./arguments/command.ts";
import type { Context } from "./base/context.ts";
import { Failure } from "./errors/failure.ts";

interface Flags extends ServerFlags {
  readonly participants?: string;
}

/** The directory of participants. @throws Failure it is no absolute path */
export function parse({ participants }: Flags): string | undefined {
  if (participants === undefined || participants.startsWith("/")) return participants;
  throw new Failure(
    "usage",
    `Cannot use "${participants}" as the directory of participants: an absolute path is needed`,
  );
}

export async function run(
  context: Context,
  participants: string | undefined,
  flags: ServerFlags,
): Promise<null> {
  const { serveAgent } = await import("./processes/serve.ts");
  await serveAgent(context, flags, participants);
  return null;
}

export const command = buildCommand<Flags, [], Context>({
  docs: docs(
    "Run the agent in the foreground",
    "For systemd units and for watching. The agent ends with luo agent stop, with\n" +
      "SIGTERM or Ctrl-C (and logs what is lost by that), and with the kexec.",
    [
      ["luo agent run", "ExecStart= of a service"],
      ["luo agent run --participants /etc/luo/participants.d", "with these participants of live updates"],
    ],
  ),
  parameters: {
    flags: {
      participants: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "DIR",
        brief: "Executables that take part in luo update (or LUO_PARTICIPANTS)",
      },
      ...serverFlags,
    },
  },
  func(flags) {
    return perform(this, flags, { parse: () => parse(flags), run, format: () => undefined });
  },
});
