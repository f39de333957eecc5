/** Measures and writes docs/performance.md: `main.ts [SECTION...]`. Sections that are not named stay as they are. */
import { agent } from "./agent_rows.ts";
import { bulk } from "./bulk_rows.ts";
import { emulate } from "./emulate_rows.ts";
import { type Section, sectionText, withSection } from "./report.ts";
import { scale } from "./scale_rows.ts";
import { start } from "./start_rows.ts";
import { update } from "./update_rows.ts";
import { vm } from "./vm_rows.ts";

const SECTIONS: readonly Section[] = [start, bulk, agent, scale, vm, update, emulate];

const DOCUMENT = new URL("../../docs/performance.md", import.meta.url).pathname;

const HEAD = `# How fast luo is

\`deno task bench\` writes this document. Each row compares two things that were measured in turns in one run on
one machine: a median, and in parentheses the lowest and the highest value. "(no)" marks a target that was not met. The
machine that measured has 2 cores and had other work to do, so that ratios say more than absolute numbers.
`;

const wanted = Deno.args.length === 0 ? SECTIONS : SECTIONS.filter(({ name }) => Deno.args.includes(name));
let document = read() ?? HEAD;
for (const section of wanted) {
  const text = sectionText(section, await section.rows());
  console.log(`\n${text}`);
  document = withSection(document, section.title, text);
  Deno.writeTextFileSync(DOCUMENT, document);
}
await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", DOCUMENT] }).output();

function read(): string | undefined {
  try {
    return Deno.readTextFileSync(DOCUMENT);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
