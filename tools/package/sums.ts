/** Writes SHA256SUMS of all packages and tarballs in a directory, for `sha256sum -c`. */
import { digest } from "../binary/deno_program.ts";

/** @returns the path of SHA256SUMS */
export async function writeSums(directory: string): Promise<string> {
  const names = Array.from(Deno.readDirSync(directory), ({ name }) => name)
    .filter((name) => /^luo_.*\.(deb|tar(\.\w+)?)$/.test(name)).sort();
  const lines = [];
  for (const name of names) {
    lines.push(`${await digest(await Deno.readFile(`${directory}/${name}`))}  ${name}\n`);
  }
  await Deno.writeTextFile(`${directory}/SHA256SUMS`, lines.join(""));
  return `${directory}/SHA256SUMS`;
}
