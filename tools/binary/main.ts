import { PERMISSIONS } from "../../commands/self.ts";
import { bundle } from "./bundle.ts";
import { addSegment, type Target } from "./elf.ts";
import { stubSegment } from "./stub.ts";

const WORDS = ["run", "--quiet", "--no-config", "--no-lock", "--cached-only", "--no-remote", "--no-npm", "--no-code-cache", ...PERMISSIONS];

const target: Target = "x86_64";
const script = await bundle();
const words = WORDS.length % 2 ? WORDS : [...WORDS, "--ext=js"];
const deno = Deno.readFileSync(Deno.execPath());
Deno.mkdirSync("dist", { recursive: true });
const bytes = addSegment(deno, target, (toEntry) => stubSegment(target, words, script, toEntry));
Deno.writeFileSync("dist/luo", bytes, { mode: 0o755 });
console.log(bytes.length, script.length);
