/** The next kernel of a command line, or this host's default where the command line names none. */
import { type Config, CONFIG_FILE, parseConfig, type Setting } from "../arguments/config_file.ts";
import type { LineChoice } from "../arguments/next_command_line.ts";
import type { Context } from "../base/context.ts";
import { Failure } from "../errors/failure.ts";
import { LuoError } from "../../lib/error.ts";

/** The kernel that a command line of `luo kexec load` or `luo kexec check` names. */
export interface KernelRequest extends LineChoice {
  /** Undefined: this host's default. */
  readonly kernel?: string;
  readonly initrds: readonly string[];
}

/**
 * The request with a kernel. The settings hold only for the default kernel: the initramfs of one kernel does not fit another.
 *
 * @throws Failure `usage`: no kernel is named anywhere
 */
export async function withKernel<R extends KernelRequest>(
  { settings }: Pick<Context, "settings">,
  request: R,
): Promise<R & { readonly kernel: string }> {
  const { kernel } = request;
  if (kernel !== undefined) return { ...request, kernel };
  const path = settings.config ?? CONFIG_FILE;
  const config = await readConfig(path);
  // A variable of the environment wins over the file, also an empty one.
  const setting = (name: Setting) => (settings.nextKernel?.[name] ?? config[name]) || undefined;
  const named = setting("LUO_KERNEL");
  if (named === undefined) {
    throw new Failure(
      "usage",
      "Cannot go on without KERNEL: neither the command line nor a setting names one",
      {
        hints: [`to set a default: LUO_KERNEL in "${path}" or in the environment`],
      },
    );
  }
  const initrds = setting("LUO_INITRD")?.split(/\s+/).filter(Boolean) ?? [];
  return {
    ...request,
    ...defaultLine(request, setting("LUO_CMDLINE")),
    kernel: named,
    append: request.append ?? setting("LUO_APPEND"),
    initrds: request.initrds.length > 0 ? request.initrds : initrds,
  };
}

/** --command-line and --reuse-cmdline win over the default. */
function defaultLine(request: LineChoice, commandLine: string | undefined): Partial<LineChoice> {
  if (!request.imageCommandLine || commandLine === undefined) return {};
  return { commandLine, reuseCommandLine: false, imageCommandLine: false };
}

/** The file's settings; none when there is no file. @throws LuoError `read`: it is there and cannot be read */
async function readConfig(path: string): Promise<Config> {
  if (path === "") return {};
  const { openKernelFile } = await import("../../lib/files/kernel_file.ts");
  try {
    using file = openKernelFile(path);
    return parseConfig(new TextDecoder().decode(file.read(0, file.size)), path);
  } catch (error) {
    if (error instanceof LuoError && (error.is("ENOENT") || error.is("ENOTDIR"))) return {};
    throw error;
  }
}
