/** The pages for what a host has besides commands: luo-agent.service(8) and luo.conf(5). */
import { EXIT_MEANING } from "../base/exit_codes.ts";
import { CONFIG_FILE, SETTINGS } from "../arguments/config_file.ts";
import { VERSION } from "../../lib/version.ts";
import { BUGS, ENVIRONMENT, FILES } from "./man_texts.ts";
import { type ManPage, pageText, paragraphs, references, terms, verbatim } from "./roff.ts";

export function servicePage(): ManPage {
  const page = { name: "luo-agent.service", section: 8 } as const;
  const text = pageText(page, VERSION, [
    ["NAME", ["luo\\-agent.service, luo\\-agent.socket \\- the agent of luo, which holds sessions"]],
    ["SYNOPSIS", verbatim(["luo-agent.service", "luo-agent.socket", "luo agent run"])],
    ["DESCRIPTION", paragraphs(SERVICE)],
    ["RESTART, UPGRADE AND REMOVAL", paragraphs(UPGRADE)],
    ["EXIT STATUS", terms(EXIT_MEANING.map(([code, meaning]) => [`${code}`, meaning]))],
    ["ENVIRONMENT", [".PP", "The service reads luo.conf(5) as an environment file.", ...terms(ENVIRONMENT)]],
    ["FILES", terms(FILES)],
    ["BUGS", paragraphs(BUGS)],
    ["SEE ALSO", references(["luo(1)", "luo-agent(1)", "luo.conf(5)", "systemd.service(5)", "systemctl(1)"])],
  ]);
  return { ...page, text };
}

const SERVICE: readonly string[] = [
  "luo-agent.service runs luo agent run: the one process that creates and retrieves sessions and holds them from one " +
  "command to the next. It starts only where there is a device /dev/liveupdate.",
  "Services that preserve something while they stop need After=luo-agent.service, so that the agent still runs then.",
  "systemctl kexec stops the services and executes the image that luo kexec load has loaded.",
];

const UPGRADE: readonly string[] = [
  "When the fd store of systemd has the descriptors of all sessions, the agent can be killed, stopped and started: " +
  "the next agent takes the sessions from the store. Without it, sessions end with the agent.",
  "An upgrade of the package restarts the agent only when nothing is lost by it: when no session is held, or when the fd " +
  "store has them all. Otherwise the agent of the version before runs on, and the upgrade says so.",
  "The package cannot be removed while an agent holds sessions. Finish or close them first. To lose them: " +
  "luo agent stop --force.",
];

export function configPage(): ManPage {
  const page = { name: "luo.conf", section: 5 } as const;
  const text = pageText(page, VERSION, [
    ["NAME", ["luo.conf \\- the settings of luo on this host"]],
    ["SYNOPSIS", verbatim([CONFIG_FILE])],
    ["DESCRIPTION", paragraphs(CONFIG)],
    ["SETTINGS", terms(Object.entries(SETTINGS))],
    ["EXAMPLES", verbatim(EXAMPLE)],
    ["SEE ALSO", references(["luo(1)", "luo-kexec(1)", "luo-agent.service(8)", "systemd.exec(5)"])],
  ]);
  return { ...page, text };
}

const CONFIG: readonly string[] = [
  "Each line is NAME=value; empty lines and lines that begin with # are comments. A value is one word, or is quoted as a " +
  "whole with single or double quotes, so that systemd (EnvironmentFile=) and a shell read the same.",
  "luo refuses a line that it cannot read and a name that it does not know. Variables of the environment win over the " +
  "file, options of the command line over both. The settings of a kernel hold only when the command line names no kernel.",
];

const EXAMPLE: readonly string[] = [
  "LUO_KERNEL=/vmlinuz",
  "LUO_INITRD=/initrd.img",
  'LUO_APPEND="liveupdate=on kho=on"',
];
