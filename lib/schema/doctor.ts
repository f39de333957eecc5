/** The result of `luo doctor`. */
import { about, bool, list, maybe, named, type Schema, struct, text, words } from "./parts.ts";
import { backend } from "./status.ts";

/** One line of the result. */
const finding = struct({
  code: words({
    kernel_release: "the running kernel",
    kernel_config: "the kernel's configuration",
    signature: "signatures that the kernel asks for",
    command_line: "the kernel's command line",
    device: "the device",
    kexec_disabled: "switches of kexec",
    lockdown: "the lockdown of the kernel",
    capability: "CAP_SYS_BOOT",
    pid_namespace: "the PID namespace",
    container: "a container",
    user_namespace: "the user namespace",
    seccomp: "a seccomp filter",
    no_new_privs: "NoNewPrivs",
    memory: "memory that is available",
    cgroup: "memory that the agent may use",
    open_files: "descriptors that the agent may hold",
    locked_memory: "memory that the agent may lock",
    initramfs: "the initramfs of an installed kernel",
    systemd: "the version of systemd",
    boot_loader: "the boot entry that a plain reboot takes",
    reboot: "a plain reboot while an image is loaded and sessions are held",
  }),
  verdict: words({
    ok: "nothing is wrong",
    warns: "it may cost data or time",
    stops: "there is no live update with it",
    unknown: "the fact cannot be read here",
  }),
  text: about(text, "A sentence for people"),
  remedy: maybe(about(text, "A command, or a line of configuration")),
});

/** The type `Doctor`. */
export const Doctor: Schema = named(
  "Doctor",
  struct({
    backend,
    stopped: about(bool, "Whether a finding stops a live update"),
    findings: list(finding),
  }),
  "What would stop a live update here.",
);
