/** The spelling of kexec-tools: `luo kexec -l KERNEL`, `luo kexec -e` and `luo kexec -u`. */

/** kexec-tools writes the verb as a flag. Its `-f` is no verb: it means to jump without a shutdown, and not what --force means. */
export const KEXEC_VERBS: Readonly<Record<string, string>> = {
  "-l": "load",
  "--load": "load",
  "-e": "exec",
  "--exec": "exec",
  "-u": "unload",
  "--unload": "unload",
};

/** The words with luo's own verb in the second place, when kexec-tools' flag stands for it. */
export function withKexecVerb(args: readonly string[]): readonly string[] {
  const [group, first = ""] = args;
  if (group !== "kexec" || !first.startsWith("-")) return args;
  const apart = args.indexOf("--");
  const at = args.findIndex((word, index) =>
    (apart < 0 || index < apart) && Object.hasOwn(KEXEC_VERBS, word)
  );
  const verb = KEXEC_VERBS[args[at] ?? ""];
  return verb === undefined ? args : [group, verb, ...args.toSpliced(at, 1).slice(1)];
}
