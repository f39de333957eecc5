/** The facts that a check cannot find out, for a load that goes on without them. */
import { doubts } from "../../lib/kexec/check/line.ts";
import type { Check } from "../../lib/schema/types.ts";
import { visible } from "../base/text.ts";
import { COLUMNS, wrap } from "../base/wrap.ts";

/** The lines that cannot tell and that decide. */
export function doubtText({ lines }: Pick<Check, "lines">): string {
  const rows = doubts(lines).map(({ code, reason }) =>
    `  ${wrap(`${code}: ${visible(reason)}`, COLUMNS - 4).join("\n    ")}`
  );
  return ["luo: Cannot tell whether the next kernel takes over what is preserved", ...rows].join("\n");
}
