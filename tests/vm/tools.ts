/** Files and programs of the host that the virtual machine needs. */
export { findTool, MissingTool } from "../../lib/rehearse/missing_tool.ts";

export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

export function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
