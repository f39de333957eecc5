/** A shell at a terminal of its own, in which completion is tried as a user does: by keys. */
import { output } from "../deb/packages.ts";

/** Where the keys of a shell are bound: one inserts all completions of the last word, one writes the line into a file. */
const SETUP = {
  bash: (directory: string) => `
    PS1=; PROMPT_COMMAND='echo ready >${directory}/ready'
    bind 'set bell-style none'; bind '"\\ea": insert-completions'
    bind -x '"\\ed": printf "%s" "$READLINE_LINE" >${directory}/line.new; mv ${directory}/line.new ${directory}/line; READLINE_LINE='
  `,
  zsh: (directory: string) => `
    PS1=; autoload -Uz compinit; compinit -D -u
    unsetopt beep; setopt no_list_ambiguous; bindkey -e
    zle -C all-matches complete-word _generic; bindkey '\\ea' all-matches
    zstyle ':completion:all-matches::::' completer _all_matches _complete
    zstyle ':completion:all-matches:*' insert true
    write-line() { printf '%s' "$BUFFER" >${directory}/line.new; mv ${directory}/line.new ${directory}/line; BUFFER=; }
    zle -N write-line; bindkey '\\ed' write-line
    precmd() { echo ready >${directory}/ready; }
  `,
} as const;

const START = {
  bash: (rc: string) => `exec bash --noprofile --rcfile ${rc} -i`,
  zsh: (rc: string) => `exec env ZDOTDIR=${rc.replace(/\/[^/]*$/, "")} zsh -d -i`,
} as const;

export class ShellAtTerminal implements AsyncDisposable {
  readonly #directory: string;
  readonly #child: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;

  /** @param commands are run when the shell starts, after its completion is set up */
  constructor(shell: "bash" | "zsh", commands: string, cwd: string, env: Readonly<Record<string, string>>) {
    this.#directory = Deno.makeTempDirSync({ prefix: "luo-shell-" });
    const rc = `${this.#directory}/.zshrc`;
    Deno.writeTextFileSync(rc, `${SETUP[shell](this.#directory)}\n${commands}\n`);
    this.#child = new Deno.Command("script", {
      args: ["-qec", START[shell](rc), "/dev/null"],
      cwd,
      env: { ...env, TERM: "dumb", HOME: this.#directory, COLUMNS: "1000" },
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#keys = this.#child.stdin.getWriter();
  }

  /** The line after all completions of its last word were inserted. */
  async complete(line: string): Promise<string> {
    await this.#file("ready", false);
    await this.#keys.write(new TextEncoder().encode(`${line}\x1ba\x1bd`));
    return await this.#file("line", true);
  }

  async #file(name: string, remove: boolean): Promise<string> {
    const path = `${this.#directory}/${name}`;
    for (const end = Date.now() + 120_000; Date.now() < end;) {
      try {
        const text = Deno.readTextFileSync(path);
        if (remove) Deno.removeSync(path);
        return text;
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    throw new Error(`The shell did not write ${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#keys.close();
    this.#child.kill("SIGKILL");
    await this.#child.status;
    Deno.removeSync(this.#directory, { recursive: true });
  }
}

/** The words that fish offers for the last word. */
export function fishCompletes(
  script: string,
  line: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
): string[] {
  const quoted = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const fish = "cd $argv[1]; source $argv[2]; complete -C $argv[3]";
  const text = output("env", ...quoted, "fish", "--no-config", "-c", fish, cwd, script, line);
  return text.split("\n").filter(Boolean).map((one) => one.split("\t")[0] ?? "");
}
