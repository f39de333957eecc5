/** Whether a program may search all directories on the way to a file that luo answers for: the host does not ask. */
import { owner } from "../../ffi/file.ts";
import { type Credentials, X_OK } from "./credentials.ts";

/** `directory`: as luo can open it. */
export function isSearchable(directory: string, credentials: Credentials): boolean {
  if (credentials.uid === 0) return true;
  const [root = ""] = /^\/proc\/\d+\/root/.exec(directory) ?? [];
  const names = directory.slice(root.length).split("/").filter((name) => name !== "");
  return names.every((_, index) => {
    const found = owner(`${root}/${names.slice(0, index + 1).join("/")}`);
    return typeof found === "number" || credentials.may(found, X_OK);
  });
}
