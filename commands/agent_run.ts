/** `luo agent run`. */
import { buildCommand } from "@stricli/core";
import { docs, perform, type ServerFlags, serverFlags } from "./arguments/command.ts";
import type { Context } from "./base/context.ts";

export async function run(context: Context, _request: null, flags: ServerFlags): Promise<null> {
  const { serveAgent } = await import("./processes/serve.ts");
  await serveAgent(context, flags);
  return null;
}

export const command = buildCommand<ServerFlags, [], Context>({
  docs: docs(
    "Run the agent in the foreground",
    "For systemd units and for watching. The agent ends with luo agent stop, with\n" +
      "SIGTERM or Ctrl-C (and logs what is lost by that), and with the kexec.",
    [["luo agent run", "ExecStart= of a service"]],
  ),
  parameters: { flags: serverFlags },
  func(flags) {
    return perform(this, flags, { parse: () => null, run, format: () => undefined });
  },
});
