/** `luo agent run`. */
import { buildCommand } from "./base/build_command.ts";
import { accessFile, accessFlag } from "./arguments/access_flag.ts";
import { docs, perform, type ServerFlags, serverFlags } from "./arguments/command.ts";
import type { Context, Settings } from "./base/context.ts";
import { Failure } from "./errors/failure.ts";

export interface Flags extends ServerFlags {
  readonly access?: string;
  readonly participants?: string;
  readonly luodSocket?: string;
  readonly early: boolean;
}

export interface Request {
  /** The file with the access rules. */
  readonly access: string | undefined;
  /** The directory of participants. */
  readonly participants: string | undefined;
  /** The socket for clients of luo-agent. */
  readonly luodSocket: string | undefined;
  /** Kept sessions and live updates under way are left to the next agent. */
  readonly early: boolean;
}

/** @throws Failure a path is not absolute */
export function parse({ access, participants, luodSocket, early }: Flags, settings: Settings): Request {
  const paths = { "the directory of participants": participants, "luo-agent's socket": luodSocket };
  for (const [what, path] of Object.entries(paths)) {
    if (path === undefined || path.startsWith("/") || path === "default") continue;
    throw new Failure("usage", `Cannot use "${path}" as ${what}: an absolute path is needed`);
  }
  return { access: accessFile(access, settings), participants, luodSocket, early };
}

export async function run(context: Context, request: Request, flags: ServerFlags): Promise<null> {
  const { serveAgent } = await import("./processes/serve.ts");
  await serveAgent(context, flags, request);
  return null;
}

export const command = buildCommand<Flags, [], Context>({
  docs: docs(
    "Run the agent in the foreground",
    "For systemd units and for watching. The agent ends with luo agent stop, with\n" +
      "SIGTERM or Ctrl-C (and logs what is lost by that), and with the kexec.\n" +
      "Only root and the user of the agent may talk to it. With --access other users\n" +
      "may hand over their own memory, by a second socket: a line is a rule, such as\n" +
      "  user qemu vm-*\n" +
      "  gid 107 db sessions=4 files=16\n" +
      "The agent does not start with a line that is no rule. On SIGHUP it reads the\n" +
      "file again.\n" +
      "With --early it leaves kept sessions, and the live update that is under way, to\n" +
      "the agent that comes after it: in an initramfs there are no participants.",
    [
      ["luo agent run", "ExecStart= of a service"],
      ["luo agent run --access /etc/luo/access.conf", "for services that are not root"],
      ["luo agent run --participants /etc/luo/participants.d", "with these participants of live updates"],
      ["luo agent run --luod-socket default", "in place of luod, for its clients"],
    ],
  ),
  parameters: {
    flags: {
      access: accessFlag,
      participants: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "DIR",
        brief: "Executables that take part in luo update (or LUO_PARTICIPANTS)",
      },
      luodSocket: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "PATH",
        brief:
          "Serve clients of luo-agent there too (or LUO_LUOD_SOCKET); default: /run/luod/liveupdate.sock",
      },
      early: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "In an initramfs: leave kept sessions and the update to the next agent",
      },
      ...serverFlags,
    },
  },
  func(flags) {
    const { settings } = this;
    return perform(this, flags, { parse: () => parse(flags, settings), run, format: () => undefined });
  },
});
