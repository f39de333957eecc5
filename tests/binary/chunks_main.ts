/** `chunks_main.ts ROOT`: prints the chunks of the checkout at ROOT, as JSON. */
import { chunks } from "../../tools/binary/chunks.ts";

const [root = ""] = Deno.args;
const directory = await Deno.makeTempDir({ prefix: "luo-chunks-" });
try {
  console.log(JSON.stringify(await chunks(root, directory)));
} finally {
  await Deno.remove(directory, { recursive: true });
}
