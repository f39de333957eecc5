/**
 * Runs native programs under `luo emulate --strict` and compares line by line with what Linux printed: `cases_main.ts DIRECTORY`,
 * with a folder NAME/ for each program: prog.c, which includes ../t.h, and linux.txt between `=== BEGIN` and `=== END`. Needs root:
 * each program has a /dev of its own. Prints `N passed, N failed` at the end.
 */
import { LUO } from "../../luo_under_test.ts";

/** Lines that differ by nature, with the reason. Everything before the first colon of a line names it. */
const DIFFERENT: Readonly<Record<string, { readonly why: string; readonly lines: RegExp }>> = {
  kx_env: {
    why: "the release of the model, its scratch, and a first boot that is not the result of a kexec",
    lines: /release|^Linux |osrelease|scratch_len|^in:|^dmesg:/,
  },
  fd_look: { why: "the attributes that this kernel's tmpfs knows", lines: /attrmask/ },
  paths: { why: "process 1 is the host's", lines: /^proc\/1\/root/ },
  eintr_min: { why: "divergence 17 of docs/emulate.md", lines: /failed/ },
  iouring: { why: "divergence 3 of docs/emulate.md: io_uring is refused", lines: /./ },
};

/** $1 is the program, the rest is luo. */
const OWN_DEVICES = `
program=$1; shift
own=$(mktemp -d); mount -t tmpfs none "$own"
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty "$own"
mkdir "$own/pts" "$own/shm" "$own/mqueue"; mount --bind /dev/pts "$own/pts"; ln -s /proc/self/fd "$own/fd"
mount --rbind "$own" /dev; mount -t tmpfs none /dev/shm
exec "$@" emulate --strict -- sh -c 'KIMG=$LUO_KERNEL KINITRD=$LUO_INITRD KCMD=$LUO_CMDLINE exec "$0"' "$program"`;

const [handed] = Deno.args;
if (handed === undefined) throw new Error("which directory?");
// Without its own output, so that a program cannot write over the cases.
const work = await Deno.makeTempDir({ prefix: "luo-cases-" });
let [passed, failed] = [0, 0];
try {
  await Deno.copyFile(`${handed}/t.h`, `${work}/t.h`);
  const cases = Array.from(Deno.readDirSync(handed)).filter(({ isDirectory }) => isDirectory);
  for (const name of cases.map(({ name }) => name).sort()) {
    const difference = await differs(name);
    if (difference === undefined) passed++;
    else failed++;
    console.log(difference === undefined ? `ok   ${name}` : `FAIL ${name}:\n${difference}`);
  }
} finally {
  await Deno.remove(work, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) Deno.exitCode = 1;

/** The lines that differ and should not; undefined: none. */
async function differs(name: string): Promise<string | undefined> {
  await Deno.mkdir(`${work}/${name}`);
  await Deno.copyFile(`${handed}/${name}/prog.c`, `${work}/${name}/prog.c`);
  const program = `${work}/${name}/prog`;
  const compiled = await output("gcc", ["-static", "-O1", "-w", "-pthread", `${program}.c`, "-o", program]);
  if (!compiled.success) return compiled.err;
  const linux = Deno.readTextFileSync(`${handed}/${name}/linux.txt`);
  const wanted = /^=== BEGIN .*\n([^]*?)^=== END /m.exec(linux)?.[1] ?? "";
  const emulated = await output("unshare", ["--mount", "sh", "-c", OWN_DEVICES, "sh", program, ...LUO]);
  const [one, other] = [wanted, emulated.out].map((text) => comparable(name, text));
  if (one === other) return undefined;
  const paths = [`${work}/${name}/linux`, `${work}/${name}/emulate`];
  Deno.writeTextFileSync(paths[0] ?? "", one ?? "");
  Deno.writeTextFileSync(paths[1] ?? "", other ?? "");
  return (await output("diff", paths)).out + emulated.err.slice(-500);
}

function comparable(name: string, text: string): string {
  const different = DIFFERENT[name];
  return text.split("\n").filter((line) => !different?.lines.test(line)).join("\n");
}

async function output(program: string, args: readonly string[]) {
  const command = new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(120_000),
  });
  const { success, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { success, out: text(stdout), err: text(stderr) };
}
