import { PERMISSIONS } from "../../commands/self.ts";
import { bundle } from "./bundle.ts";
import { addSegment, type Target } from "./elf.ts";
import { importedAddress } from "./imported.ts";
import { stubSegment } from "./stub.ts";

const WORDS = ["run", "--ext=mjs", "--quiet", "--no-config", "--no-lock", "--no-remote", "--no-npm", "--no-code-cache", ...PERMISSIONS];
const ENV = ["DENO_NO_UPDATE_CHECK=1", "DENO_DIR=/proc/none"];

const [target, from, to] = Deno.args as [Target, string, string];
const script = await bundle();
const deno = Deno.readFileSync(from ?? Deno.execPath());
Deno.mkdirSync("dist", { recursive: true });
const environ = importedAddress(deno, target, "environ");
const bytes = addSegment(deno, target, (address, entry) => stubSegment(target, {words: WORDS, env: ENV, script}, entry - address, environ - address));
Deno.writeFileSync(to ?? "dist/luo", bytes, { mode: 0o755 });
console.log(bytes.length, script.length);
