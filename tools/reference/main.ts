/** `deno task reference`: writes the files that are made from lib/schema. With `--check` it says which ones are not up to date. */
import { document } from "./document.ts";
import { protocol, protocolErrors, protocolUpdates } from "./protocol.ts";
import { answerParts, answerTypes, reportTypes, types, updateTypes } from "./types.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const check = Deno.args.includes("--check");

const files = [
  { path: "lib/agent/protocol.ts", text: protocol() },
  { path: "lib/agent/protocol_updates.ts", text: protocolUpdates() },
  { path: "lib/agent/protocol_errors.ts", text: protocolErrors() },
  { path: "lib/schema/types.ts", text: types() },
  { path: "lib/schema/update_types.ts", text: updateTypes() },
  { path: "lib/schema/answer_parts.ts", text: answerParts() },
  { path: "lib/schema/report_types.ts", text: reportTypes() },
  { path: "lib/schema/answer_types.ts", text: answerTypes() },
  { path: "docs/json.md", text: document(Deno.readTextFileSync(`${ROOT}docs/json.md`)) },
];
const stale: string[] = [];
for (const { path, text } of files) {
  const wanted = await formatted(text, path.replace(/.*\./, ""));
  if (read(ROOT + path) === wanted) continue;
  stale.push(path);
  if (!check) Deno.writeTextFileSync(ROOT + path, wanted);
}
if (check && stale.length > 0) {
  console.error(
    `Cannot find in ${stale.join(", ")} what lib/schema says\n  write it with: deno task reference`,
  );
  Deno.exit(1);
}

/** As `deno fmt` would leave it. */
async function formatted(text: string, extension: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--ext", extension, "-"],
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = child.output();
  await new Blob([text]).stream().pipeTo(child.stdin);
  const { success, stdout } = await output;
  if (!success) throw new TypeError("Cannot format what was made");
  return new TextDecoder().decode(stdout);
}

function read(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
