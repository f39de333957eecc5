/** The fds that a process has open. */

/** How many fds the process has open, without those of Deno's caches, which Deno opens and closes in its own time. */
export function openFds(pid: number): number {
  const directory = `/proc/${pid}/fd`;
  return [...Deno.readDirSync(directory)].filter(({ name }) => {
    try {
      return !/_cache_v\d+(-\w+)?$/.test(Deno.readLinkSync(`${directory}/${name}`));
    } catch {
      return false; // It was closed meanwhile.
    }
  }).length;
}
