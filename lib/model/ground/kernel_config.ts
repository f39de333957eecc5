/** The configuration of the model's kernels, as /proc/config.gz shows it (CONFIG_IKCONFIG_PROC): a gzip file. */

/** CONFIG_ KEXEC_CORE, KEXEC_FILE, RELOCATABLE, MEMFD_CREATE, IKCONFIG and IKCONFIG_PROC, each "y". */
const WITHOUT_LIVE_UPDATE =
  "H4sIAAAAAAACA3P293PzdI/39HYGM2wruZxRReIDgvydEcLerhGuzvHO/kGu6GJunj5IYkGuPv7OjiGOTsiCvq6+bi" +
  "7xzkGujiEgUQBM0eXEfAAAAA==";

/** The same, with CONFIG_ LIVEUPDATE, LIVEUPDATE_MEMFD, KEXEC_HANDOVER, KEXEC_HANDOVER_DEBUGFS and KEXEC_HANDOVER_ENABLE_DEFAULT. */
const WITH_LIVE_UPDATE =
  "H4sIAAAAAAACA3XOSw6DMAwE0H3v1IVxxjQixMhNUHc+B7eHtovwETvrzVg2a5bYexz4NzyXBx/FJ1NuPOADdlbD2S" +
  "SmnRmSMhXq9jhilOBsoHJZf1EOOsPu3AO62sv7Nkf+HttqQjWVVktxRp3C4WSz/09bsgKqaADXCQEAAA==";

/** The gzip file of a release with or without live update. */
export function kernel_config(live_update: boolean): Uint8Array {
  return Uint8Array.fromBase64(live_update ? WITH_LIVE_UPDATE : WITHOUT_LIVE_UPDATE);
}
