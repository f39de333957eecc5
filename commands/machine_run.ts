import { buildCommand } from "@stricli/core";
import { BadFaultSpec, FAULT_SYNTAX, type FaultSpec, parse_faults } from "../lib/model/fault_spec.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./command.ts";
import type { Context } from "./context.ts";
import { Failure } from "./failure.ts";

interface Flags extends CommonFlags {
  readonly faults?: string;
}

/** What is to go wrong: the flag, else the environment; undefined: nothing. */
export function parse(flags: Flags, environment: string | undefined): FaultSpec | undefined {
  const text = flags.faults ?? environment;
  if (text === undefined || text === "") return undefined;
  try {
    return parse_faults(text);
  } catch (error) {
    if (!(error instanceof BadFaultSpec)) throw error;
    const source = flags.faults === undefined ? "LUO_FAULTS" : "--faults";
    throw new Failure("usage", `Cannot use ${source}: ${error.message}`, {
      hints: [FAULT_SYNTAX],
    });
  }
}

export async function run(
  context: Context,
  faults: FaultSpec | undefined,
  flags: CommonFlags,
): Promise<null> {
  const { serveMachine } = await import("./serve.ts");
  await serveMachine(context, flags, faults);
  return null;
}

export const command = buildCommand<Flags, [], Context>({
  docs: docs(
    "Run the machine of the software model in the foreground",
    "The agent starts it by itself; --socket is the agent's. With --faults things go wrong in it:\n" +
      FAULT_SYNTAX,
    [
      ["luo machine run --backend model", "to look on"],
      ["luo machine run --backend model --faults freeze@1=EBUSY", "the first kexec is refused"],
      ["luo machine run --backend model --faults seed=4,alloc@1/20=ENOMEM,handover@2=corrupt", "a bad day"],
    ],
  ),
  parameters: {
    flags: {
      ...commonFlags,
      faults: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "SPEC",
        brief: "What is to go wrong in the machine, see above (or LUO_FAULTS)",
      },
    },
  },
  func(flags) {
    return perform(this, flags, {
      parse: () => parse(flags, this.settings.faults),
      run,
      format: () => undefined,
    });
  },
});
