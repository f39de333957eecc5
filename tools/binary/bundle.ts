
const ROOT = new URL("../..", import.meta.url).pathname;

/** Everything `luo` is, as one script. Its first line says which commit it is from. */
export async function bundle(): Promise<Uint8Array> {
  const script = await output(Deno.execPath(), [
    ...["bundle", "--quiet", "--platform", "deno", "--minify", "--keep-names", "main.ts"],
  ]);
  return new TextEncoder().encode(`const LUO_BINARY=${JSON.stringify({ commit: await commit() })};\n${script}`);
}

/** The commit checked out; with `+` when the files are not just that, and empty when this is no git checkout. */
async function commit(): Promise<string> {
  try {
    const id = (await output("git", ["rev-parse", "HEAD"])).trim();
    return id + (await output("git", ["status", "--porcelain"]) === "" ? "" : "+");
  } catch {
    return "";
  }
}

async function output(command: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd: ROOT, stdin: "null" })
    .output();
  if (!success) throw new Error(`Cannot run ${command}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
