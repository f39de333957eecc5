/** Bundles luo into one script, and the texts that the script reads when it needs them. */
import { chunks, needed } from "./chunks.ts";
import { helpPages } from "./help_pages.ts";
import { asFunction, MARK, script } from "./loader.ts";
import { output } from "./output.ts";

export interface Bundle {
  readonly script: Uint8Array;
  readonly texts: Uint8Array;
}

/**
 * Everything `luo` is: what `deno bundle` makes of main.ts, in chunks, and the help of every command.
 *
 * @param env the variables of the start program, after which the texts will lie
 */
export async function bundle(root: string, env: readonly string[]): Promise<Bundle> {
  const directory = await Deno.makeTempDir({ prefix: "luo-binary-" });
  try {
    const all = await chunks(root, directory);
    const needs = Object.fromEntries(Object.entries(all).map(([name, text]) => [name, needed(text)]));
    const first = closure("luo:main", needs);
    const texts = new Texts();
    texts.add(MARK);
    const later = Object.entries(all).filter(([name]) => !first.has(name))
      .map(([name, text]) => [name, `${asFunction(text)}\n//# sourceURL=${name}`] as const);
    const places = {
      variable: env[0] ?? "",
      offset: new TextEncoder().encode(env.map((one) => `${one}\0`).join("")).length,
      chunks: texts.add(JSON.stringify(texts.addAll(later))),
      help: texts.add(JSON.stringify(texts.addAll(Object.entries(await helpPages())))),
    };
    const own = Object.fromEntries(Object.entries(all).filter(([name]) => first.has(name)));
    return {
      script: new TextEncoder().encode(script(await commit(root), places, own)),
      texts: texts.bytes(),
    };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** A chunk and all that it needs at once. */
export function closure(name: string, needs: Readonly<Record<string, readonly string[]>>): Set<string> {
  const names = new Set([name]);
  // A Set may grow while it is gone through.
  for (const one of names) needs[one]?.forEach((other) => names.add(other));
  return names;
}

/** C strings, one after the other. */
class Texts {
  #text = "";
  readonly #places = new Map<string, number>();

  /** @returns where it begins */
  add(text: string): number {
    // deno-lint-ignore no-control-regex
    if (!/^[\x01-\x7f]*$/.test(text)) {
      throw new RangeError(`Cannot put into the program: ${text.slice(0, 80)}`);
    }
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    const place = this.#text.length;
    this.#text += `${text}\0`;
    this.#places.set(text, place);
    return place;
  }

  addAll(texts: readonly (readonly [name: string, text: string])[]): Record<string, number> {
    return Object.fromEntries(texts.map(([name, text]) => [name, this.add(text)]));
  }

  bytes(): Uint8Array {
    return new TextEncoder().encode(this.#text);
  }
}

/** The commit checked out; with `+` when the files are not just that, and empty when this is no git checkout. */
async function commit(root: string): Promise<string> {
  try {
    const id = (await output("git", ["rev-parse", "HEAD"], root)).trim();
    return id + (await output("git", ["status", "--porcelain"], root) === "" ? "" : "+");
  } catch {
    return "";
  }
}
