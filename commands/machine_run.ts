/** `luo machine run`: runs the machine of the model. */
import { buildCommand } from "./base/build_command.ts";
import { FAULT_SYNTAX, type FaultSpec } from "../lib/model/faults/fault_spec.ts";
import { docs, perform, type ServerFlags, serverFlags } from "./arguments/command.ts";
import type { Context } from "./base/context.ts";
import { faultsFlag, parseFaults } from "./arguments/faults_flag.ts";

interface Flags extends ServerFlags {
  readonly faults?: string;
}

export async function run(
  context: Context,
  faults: FaultSpec | undefined,
  flags: ServerFlags,
): Promise<null> {
  const { serveMachine } = await import("./processes/serve.ts");
  await serveMachine(context, flags, faults);
  return null;
}

export const command = buildCommand<Flags, [], Context>({
  docs: docs(
    "Run the machine of the software model in the foreground",
    "The agent starts the machine; --socket is the agent's socket. --faults injects faults:\n" +
      FAULT_SYNTAX,
    [
      ["luo machine run --backend model", "to watch its console"],
      ["luo machine run --backend model --faults freeze@1=EBUSY", "the first kexec is refused"],
      [
        "luo machine run --backend model --faults alloc@9=ENOMEM,page@2=lost",
        "several faults",
      ],
    ],
  ),
  parameters: {
    flags: {
      ...serverFlags,
      faults: faultsFlag,
    },
  },
  func(flags) {
    return perform(this, flags, {
      parse: () => parseFaults(flags.faults, this.settings.faults),
      run,
      format: () => undefined,
    });
  },
});
