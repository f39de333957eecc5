/** The flag --faults. */
import {
  BadFaultSpec,
  FAULT_SYNTAX,
  type FaultSpec,
  parse_faults,
} from "../../lib/model/faults/fault_spec.ts";
import { textArgument } from "./text_argument.ts";
import { Failure } from "../errors/failure.ts";

/** `--faults SPEC`, of the commands whose help has FAULT_SYNTAX. */
export const faultsFlag = {
  kind: "parsed",
  parse: textArgument,
  optional: true,
  placeholder: "SPEC",
  brief: "Faults to inject into the machine, see above (or LUO_FAULTS)",
} as const;

/** The faults of the flag, else of the environment. Undefined: none. */
export function parseFaults(
  flag: string | undefined,
  environment: string | undefined,
): FaultSpec | undefined {
  const text = flag ?? environment;
  if (text === undefined || text === "") return undefined;
  try {
    return parse_faults(text);
  } catch (error) {
    if (!(error instanceof BadFaultSpec)) throw error;
    const source = flag === undefined ? "LUO_FAULTS" : "--faults";
    throw new Failure("usage", `Cannot use ${source}: ${error.message}`, {
      hints: FAULT_SYNTAX.split("\n"),
    });
  }
}
