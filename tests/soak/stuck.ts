/** What the processes of a machine that hangs are doing. */

/** One line for each thread of the process and of its descendants. */
export function stuckThreads(pid: number): string[] {
  return [pid, ...descendants(pid)].flatMap((process) =>
    names(`/proc/${process}/task`).map((thread) => {
      const task = `/proc/${process}/task/${thread}`;
      const status = read(`${task}/status`);
      const words = ["State", "TracerPid", "SigPnd", "ShdPnd"].map((key) => `${key} ${field(status, key)}`);
      const stack = read(`${task}/stack`).split("\n").slice(0, 5).map((line) =>
        line.replace(/^\S+ |\+.*/g, "")
      );
      const call = read(`${task}/syscall`).trim();
      return `  ${process}/${thread} ${field(status, "Name")}: ${words.join(", ")}; call ${call}; ${
        stack.join(" < ")
      }`;
    })
  );
}

function descendants(pid: number): number[] {
  const children = names(`/proc/${pid}/task`).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(" ").filter((word) => word !== "").map(Number)
  );
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function field(status: string, key: string): string {
  return new RegExp(`^${key}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "";
}

function names(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
