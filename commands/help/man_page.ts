/** The manual page. */
import { EXIT_MEANING } from "../base/exit_codes.ts";
import { type CommandInfo, type FlagInfo, type RouteTree, signature } from "./route_tree.ts";
import { fill, HELP_COLUMNS, wrapText } from "./wrap.ts";

/** man indents the text of a section by 7 columns. */
const WIDTH = HELP_COLUMNS - 7;

/** The environment variables; only the manual page lists them. */
const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ["LUO_BACKEND", "linux or model, as --backend."],
  ["LUO_SOCKET", "Where the agent listens, as --socket."],
  ["LUO_EXE", "The executable of luo, to start the agent in the background."],
  ["LUO_FAULTS", "Faults to inject into the software model, as --faults of luo emulate."],
  ["LUO_TEST_KERNELS", "A directory of kernel images for the virtual machines of luo rehearse."],
  ["NO_COLOR", "When set and not empty: no colour."],
];

/** The manual page luo(8) in the format of man(7), with a section for each command. */
export function manPage({ commands }: RouteTree): string {
  return [
    ".TH LUO 8",
    ".SH NAME",
    "luo \\- keep files alive across a kexec, with Linux's live update",
    ".SH SYNOPSIS",
    ".B luo",
    ".I COMMAND",
    "[\\fIOPTIONS\\fR]",
    ".SH COMMANDS",
    ...commands.flatMap(section),
    ".SH EXIT STATUS",
    ...EXIT_MEANING.flatMap(([code, meaning]) => [".TP", `.B ${code}`, escape(meaning)]),
    ".SH ENVIRONMENT",
    ...ENVIRONMENT.flatMap(([name, meaning]) => [".TP", `.B ${name}`, escape(meaning)]),
    ".SH SEE ALSO",
    ".BR kexec (8),",
    ".BR memfd_create (2),",
    ".BR kexec_file_load (2)",
    "",
  ].join("\n");
}

function section({ path, description, flags, positional }: CommandInfo): string[] {
  const synopsis = fill(["luo", ...path, ...positional, ...flags.map(usage)], WIDTH, "    ");
  return [
    `.SS ${escape(["luo", ...path].join(" "))}`,
    ".nf",
    ...synopsis.map(escape),
    ".fi",
    ".PP",
    ".nf",
    ...wrapText(description, WIDTH).split("\n").map(escape),
    ".fi",
    ...flags.flatMap((flag) => [".TP", `.B ${escape(signature(flag))}`, escape(flag.brief)]),
  ];
}

function usage(flag: FlagInfo): string {
  return flag.optional ? `[${signature(flag)}]` : signature(flag);
}

/** Escapes a line for roff: hyphens stay hyphens, and the line is no control line. */
function escape(line: string): string {
  const text = line.replaceAll("\\", "\\e").replaceAll("-", "\\-");
  return /^[.']/.test(text) ? `\\&${text}` : text;
}
