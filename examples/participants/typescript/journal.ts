#!/usr/bin/env -S deno run --quiet --allow-read --allow-write --allow-run=luo --allow-env=HOME
/** A participant in TypeScript: it takes a text file, $HOME/journal.txt, into the next kernel. */

/** What luo gives on standard input; docs/update.md has all of it. */
interface Event {
  readonly event: "prepare" | "freeze" | "cancel" | "updated" | "finish";
  readonly session: string;
  readonly files: readonly { readonly token: string; readonly size: number }[];
}

const STATE = `${Deno.env.get("HOME")}/journal.txt`;

async function luo(...args: string[]): Promise<void> {
  const { success } = await new Deno.Command("luo", { args, stdout: "null" }).output();
  if (!success) throw new Error(`luo ${args.join(" ")} failed`);
}

const event: Event = await new Response(Deno.stdin.readable).json();
switch (event.event) {
  case "prepare":
    // An exception ends with exit status 1: a veto.
    await Deno.stat(STATE);
    break;
  case "freeze":
    await luo("file", "preserve", event.session, "--from", STATE, "--token", "1", "--label", "journal");
    console.log("frozen"); // The answer.
    break;
  case "updated":
    for (const { token } of event.files) {
      await luo("file", "restore", event.session, token, "--to", STATE, "--force");
    }
    break;
}
