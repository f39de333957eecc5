/** Runs a command and gives its standard output. Throws when the command fails. */
export async function output(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], cwd, stdin: "null" })
    .output();
  if (!success) throw new Error(`Cannot run ${command} ${args[0]}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
