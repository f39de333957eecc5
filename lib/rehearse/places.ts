/** The directories that a rehearsed program finds in its guest. */

/** All of them are below this one. */
export const PLACE = "/run/luo-rehearse";
/** The directory of the files of the machine. */
export const BOOT_FILES: string = `${PLACE}/boot`;
/** The directory that host and guest share. */
export const SHARED: string = `${PLACE}/shared`;
