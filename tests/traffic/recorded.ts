/** The recorded trace of Linux 7.3.4: a line `SEED BOOTS COUNT`, then all boots. `kernel_main.ts --record` writes it. */
export const RECORDED = new URL("linux-7.3.4.txt", import.meta.url);
