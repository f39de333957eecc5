/** The pages of the manual: luo(1), one for each group of commands, luo-agent.service(8) and luo.conf(5). */
import { EXIT_MEANING } from "../base/exit_codes.ts";
import { VERSION } from "../../lib/version.ts";
import { configPage, servicePage } from "./man_host.ts";
import { BUGS, ELSEWHERE, ENVIRONMENT, FILES } from "./man_texts.ts";
import {
  escape,
  type ManPage,
  pageText,
  paragraphs,
  references,
  type Section,
  terms,
  verbatim,
} from "./roff.ts";
import { type CommandInfo, type FlagInfo, type GroupInfo, type RouteTree, signature } from "./route_tree.ts";
import { fill, HELP_COLUMNS, wrapText } from "./wrap.ts";

/** man indents the text of a section by 7 columns. */
const WIDTH = HELP_COLUMNS - 7;

/** All pages, luo(1) first. */
export function manPages(tree: RouteTree): readonly ManPage[] {
  const groups = tree.groups.filter(({ path }) => path.length > 0);
  return [
    mainPage(tree, groups),
    ...groups.map((group) => groupPage(tree, group)),
    servicePage(),
    configPage(),
  ];
}

function mainPage({ groups: [root], commands }: RouteTree, groups: readonly GroupInfo[]): ManPage {
  const page = { name: "luo", section: 1 } as const;
  const pages = groups.map(({ path, brief }) =>
    [`luo ${path.join(" ")}`, `${brief}: ${named(path)}(1).`] as const
  );
  const others = [...groups.map(({ path }) => `${named(path)}(1)`), "luo-agent.service(8)", "luo.conf(5)"];
  const text = pageText(page, VERSION, [
    ["NAME", [`luo \\- ${escape(lower(root?.brief ?? ""))}`]],
    ["SYNOPSIS", [".B luo", ".I COMMAND", "[\\fIOPTIONS\\fR]"]],
    ["DESCRIPTION", paragraphs(DESCRIPTION)],
    ["COMMANDS IN GROUPS", terms(pages)],
    ["COMMANDS", commands.filter(({ path }) => path.length === 1).flatMap(commandLines)],
    ...common([...others, ...ELSEWHERE]),
  ]);
  return { ...page, text };
}

const DESCRIPTION: readonly string[] = [
  "Linux can replace its kernel without losing memory: a live update keeps file descriptors alive across a kexec. luo " +
  "holds named sessions of files through the kexec, loads and checks the next kernel, finds everything again afterwards " +
  "and verifies it.",
  "On a host without live update the same commands run on a software model of the kernel: --backend model.",
];

function groupPage({ commands }: RouteTree, { path, brief }: GroupInfo): ManPage {
  const page = { name: named(path), section: 1 } as const;
  const own = commands.filter((command) => command.path[0] === path[0]);
  const text = pageText(page, VERSION, [
    ["NAME", [`${escape(page.name)} \\- ${escape(lower(brief))}`]],
    ["SYNOPSIS", verbatim(own.map(({ path }) => ["luo", ...path, "..."].join(" ")))],
    ["COMMANDS", own.flatMap(commandLines)],
    ...common(["luo(1)", "luo-agent.service(8)", "luo.conf(5)"]),
  ]);
  return { ...page, text };
}

/** The sections that pages of commands end with. */
function common(see: readonly string[]): readonly Section[] {
  return [
    ["EXIT STATUS", terms(EXIT_MEANING.map(([code, meaning]) => [`${code}`, meaning]))],
    ["ENVIRONMENT", terms(ENVIRONMENT)],
    ["FILES", terms(FILES)],
    ["BUGS", paragraphs(BUGS)],
    ["SEE ALSO", references(see)],
  ];
}

function commandLines({ path, description, flags, positional }: CommandInfo): string[] {
  const synopsis = fill(["luo", ...path, ...positional, ...flags.map(usage)], WIDTH, "    ");
  return [
    `.SS ${escape(["luo", ...path].join(" "))}`,
    ...verbatim(synopsis),
    ".PP",
    ...verbatim(wrapText(description, WIDTH).split("\n")),
    ...terms(flags.map((flag) => [signature(flag), flag.brief])),
  ];
}

function usage(flag: FlagInfo): string {
  return flag.optional ? `[${signature(flag)}]` : signature(flag);
}

function named(path: readonly string[]): string {
  return ["luo", ...path].join("-");
}

/** The text of a NAME section begins small, unless a name such as KHO begins it. */
function lower(text: string): string {
  return text.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
}
