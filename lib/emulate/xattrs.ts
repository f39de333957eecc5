/** The rules of extended attributes for the device, an inode of devtmpfs, and for sessions, which are anonymous inodes. */
import { Errno } from "../../ffi/abi/errno.ts";
import { encodeOsText } from "../../ffi/abi/os_text.ts";
import type { Ret } from "../system_calls.ts";
import type { Node } from "./device_nodes.ts";

const XATTR_NAME_MAX = 255;
const [XATTR_CREATE, XATTR_REPLACE] = [1, 2];

export interface Attributes {
  get(name: string): Uint8Array | Ret;
  set(name: string, value: Uint8Array<ArrayBuffer>, flags: number): Ret;
  remove(name: string): Ret;
  list(): readonly string[];
}

/** strncpy_from_user() of a name: it must not be empty or too long. */
export function checkName(name: string): string | Ret {
  return name === "" || encodeOsText(name).length > XATTR_NAME_MAX ? -Errno.ERANGE : name;
}

/** `node` undefined: of a session. `privileged`: whether the program may use trusted attributes. */
export function attributesOf(node: Node | undefined, privileged: boolean): Attributes {
  return node === undefined ? SESSION : ofDevice(node, privileged);
}

/** No attributes, and no file system that could keep any. */
const SESSION: Attributes = {
  get: (name) => name.startsWith("user.") ? -Errno.ENODATA : -Errno.EOPNOTSUPP,
  set: (name) => name.startsWith("user.") ? -Errno.EPERM : -Errno.EOPNOTSUPP,
  remove: (name) => name.startsWith("user.") ? -Errno.EPERM : -Errno.EOPNOTSUPP,
  list: () => [],
};

/** fs/xattr.c: xattr_permission() allows user attributes for files and directories only. */
function ofDevice({ xattrs }: Node, privileged: boolean): Attributes {
  const known = (name: string) => name.startsWith("trusted.") || name.startsWith("security.");
  const refused = (name: string) => {
    if (name.startsWith("system.posix_acl_")) return -Errno.EINVAL;
    if (name.startsWith("user.")) return -Errno.EPERM;
    if (!known(name)) return -Errno.EOPNOTSUPP;
    return privileged ? undefined : -Errno.EPERM;
  };
  return {
    get(name) {
      if (known(name)) return (privileged ? xattrs.get(name) : undefined) ?? -Errno.ENODATA;
      return name.startsWith("user.") || name.startsWith("system.posix_acl_")
        ? -Errno.ENODATA
        : -Errno.EOPNOTSUPP;
    },
    set(name, value, flags) {
      const errno = refused(name);
      if (errno !== undefined) return errno;
      if (flags & XATTR_CREATE && xattrs.has(name)) return -Errno.EEXIST;
      if (flags & XATTR_REPLACE && !xattrs.has(name)) return -Errno.ENODATA;
      xattrs.set(name, value);
      return 0;
    },
    remove(name) {
      return refused(name) ?? (xattrs.delete(name) ? 0 : -Errno.ENODATA);
    },
    list: () => [...xattrs.keys()].filter((name) => privileged || !name.startsWith("trusted.")),
  };
}
