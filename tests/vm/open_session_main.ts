/** `deno task test:open`: OpenSession on the real kernel. A program preserves by itself in a session of the agent, and restores so. */
import { runInVm } from "./vm.ts";

const agent = "mkdir -p -m 700 /run/luo; deno task --quiet luo agent run &";
const program = "deno run -A --cached-only --quiet tests/vm/open_session.ts";
const result = await runInVm({
  commands: [`${agent} ${program} save kexec`, `${agent} ${program} restore`],
  timeout_ms: 600_000,
  on_line: (line) => console.log(line),
});
Deno.exit(result.status);
