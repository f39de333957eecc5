/** `deno task test:open`: OpenSession on the real kernel. A program preserves by itself in a session of the agent, and restores so. */
import { runInVm } from "./vm.ts";

const program = "deno run -A --cached-only --quiet tests/vm/open_session.ts";
const result = await runInVm({
  commands: [program, program],
  timeout_ms: 840_000,
  on_line: (line) => console.log(line),
});
Deno.exit(result.status);
