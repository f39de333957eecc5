import { findTool } from "./tools.ts";

/** Carriage returns and what the BIOS says to a terminal. */
// deno-lint-ignore no-control-regex
const TERMINAL_CODES = /\r|\x1b(?:c|\[[0-9;?]*[A-Za-z])/g;

function plain(text: string): string {
  return text.replace(TERMINAL_CODES, "");
}

export type Accelerator = "tcg" | "kvm";

export interface VirtualMachine {
  kernel: string;
  initrd: string;
  append: string;
  memory_mib: number;
  /** 9p shares: mount tag to directory of the host. */
  shares: readonly { tag: string; path: string; readonly: boolean }[];
  /** Where its monitor listens, a Unix socket. */
  monitor?: string;
}

/** A running QEMU: what it printed so far, and how to end it. Killed when its scope ends. */
export class Qemu implements Disposable {
  readonly #child: Deno.ChildProcess;
  readonly #finished: Promise<unknown>;
  #console = "";
  #errors = "";
  #ended = false;

  constructor(machine: VirtualMachine, accelerator: Accelerator, on_line: (line: string) => void) {
    this.#child = new Deno.Command(findTool("qemu-system-x86_64"), {
      args: argumentsOf(machine, accelerator),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#finished = Promise.all([
      this.#readConsole(on_line),
      this.#readErrors(),
      this.#child.status.then(() => this.#ended = true),
    ]);
  }

  /** All of the serial console, line ends as `\n`. */
  get console(): string {
    return plain(this.#console);
  }

  /** What QEMU itself had to say. */
  get errors(): string {
    return this.#errors;
  }

  /** Waits for the power-off: false when `timeout_ms` passed first. */
  async ends(timeout_ms: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<boolean>((resolve) => timer = setTimeout(() => resolve(false), timeout_ms));
    try {
      return await Promise.race([this.#finished.then(() => true), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async kill(): Promise<void> {
    this[Symbol.dispose]();
    await this.#finished;
  }

  [Symbol.dispose](): void {
    if (!this.#ended) this.#child.kill("SIGKILL");
  }

  async #readConsole(on_line: (line: string) => void): Promise<void> {
    let rest = "";
    for await (const piece of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      this.#console += piece;
      const lines = (rest + piece).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach((line) => on_line(plain(line)));
    }
    if (rest !== "") on_line(plain(rest));
  }

  async #readErrors(): Promise<void> {
    for await (const piece of this.#child.stderr.pipeThrough(new TextDecoderStream())) this.#errors += piece;
  }
}

function argumentsOf(machine: VirtualMachine, accelerator: Accelerator): string[] {
  const shares = machine.shares.flatMap(({ tag, path, readonly }) => [
    "-virtfs",
    `local,path=${path.replaceAll(",", ",,")},mount_tag=${tag},security_model=none,multidevs=remap` +
    (readonly ? ",readonly=on" : ""),
  ]);
  return [
    ...["-accel", accelerator === "kvm" ? "kvm" : "tcg,thread=multi", "-cpu", "max"],
    ...[
      "-m",
      `${machine.memory_mib}M`,
      "-smp",
      "2",
      "-no-reboot",
      "-nographic",
      "-nodefaults",
      "-serial",
      "stdio",
    ],
    ...["-kernel", machine.kernel, "-initrd", machine.initrd, "-append", machine.append],
    ...shares,
    ...machine.monitor === undefined ? [] : ["-monitor", `unix:${machine.monitor},server=on,wait=off`],
  ];
}
