/** Limits of the process that holds the sessions. */
import { type Finding, ok, unknown, warns } from "./finding.ts";
import { type Host, worker } from "./host.ts";

/** Each session takes one file descriptor, and each request brings more. */
const OPEN_FILES = 1024;
/** Memory for devices (iommufd, VFIO) is locked; memfds are not. */
const LOCKED_BYTES = 8 << 20;

export function limits(host: Host): Finding[] {
  const { proc, name } = worker(host);
  const text = host.text(`${proc}/limits`);
  if (text === undefined) return [];
  const soft = (limit: string) => {
    const value = new RegExp(`^${limit}\\s+(\\S+)`, "m").exec(text)?.[1];
    return value === "unlimited" ? Infinity : value === undefined ? undefined : Number(value);
  };
  return [
    judged("open_files", soft("Max open files"), OPEN_FILES, (value) => ({
      text: `${capital(name)} may hold ${value} file descriptors`,
      more: ", and each session is one",
      remedy: "raise the limit: LimitNOFILE=1048576 in the unit, or ulimit -n 1048576",
    })),
    judged("locked_memory", soft("Max locked memory"), LOCKED_BYTES, (value) => ({
      text: `${capital(name)} may lock ${
        value === Infinity ? "any amount of memory" : `${value} bytes of memory`
      }`,
      more: ", which devices need and memfds do not",
      remedy: "raise the limit: LimitMEMLOCK=infinity in the unit, or ulimit -l unlimited",
    })),
  ];
}

function judged(
  code: "open_files" | "locked_memory",
  value: number | undefined,
  least: number,
  words: (value: number) => { text: string; more: string; remedy: string },
): Finding {
  if (value === undefined) return unknown(code, "The limit cannot be read");
  const { text, more, remedy } = words(value);
  return value < least ? warns(code, text + more, remedy) : ok(code, text);
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
