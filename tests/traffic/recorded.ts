/** What Linux 7.3.4 did: a line `SEED BOOTS COUNT`, then the traces of all boots. Made by `kernel_main.ts --record`. */
export const RECORDED = new URL("linux-7.3.4.txt", import.meta.url);
