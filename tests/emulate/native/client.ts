/** Compiles the random native client. The result is undefined on a host without gcc or a static libc. */
const HERE = new URL(".", import.meta.url).pathname;

export async function compileClient(directory: string): Promise<string | undefined> {
  const sources = Array.from(Deno.readDirSync(HERE), ({ name }) => name).filter((name) =>
    name.endsWith(".c")
  );
  const program = `${directory}/native`;
  try {
    const { success, stderr } = await new Deno.Command("gcc", {
      args: ["-static", "-O2", "-pthread", "-DNEXT_BOOT_NO_MAIN", "-w", "-o", program, ...sources.sort()],
      cwd: HERE,
    }).output();
    if (success) return program;
    const said = new TextDecoder().decode(stderr);
    if (said.includes("cannot find -l")) return undefined;
    throw new Error(`gcc refuses the native client:\n${said}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
