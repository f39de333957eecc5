/** The rules of extended attributes for the device, an inode of devtmpfs, for sessions, which are anonymous inodes, and for files of /proc and /sys. */
import { Errno } from "../../ffi/abi/errno.ts";
import { encodeOsText } from "../../ffi/abi/os_text.ts";
import type { Ret } from "../system_calls.ts";
import { type Node, touched } from "./device_nodes.ts";
import type { KernelFileNode } from "./kernel_file_nodes.ts";

const XATTR_NAME_MAX = 255;
const [TRUSTED, SECURITY, ACL] = ["trusted.", "security.", "system.posix_acl_"];
/** linux/capability.h: struct vfs_cap_data and vfs_ns_cap_data, by revision. */
const CAPABILITY_SIZES: Readonly<Record<number, number>> = { 2: 20, 3: 24 };
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

/** fs/xattr.c, security/commoncap.c: the value is looked at before the file. An ACL that can be set is not known here. */
function badValue(name: string, value: Uint8Array<ArrayBuffer>): Ret | undefined {
  if (name.startsWith(ACL)) return -Errno.EINVAL;
  if (name !== "security.capability") return undefined;
  const revision = value.length < 4 ? 0 : new DataView(value.buffer).getUint32(0, true) >>> 24;
  return CAPABILITY_SIZES[revision] === value.length ? undefined : -Errno.EINVAL;
}

function put(
  xattrs: KernelFileNode["xattrs"],
  name: string,
  value: Uint8Array<ArrayBuffer>,
  flags: number,
): Ret {
  if (flags & XATTR_CREATE && xattrs.has(name)) return -Errno.EEXIST;
  if (flags & XATTR_REPLACE && !xattrs.has(name)) return -Errno.ENODATA;
  xattrs.set(name, value);
  return 0;
}

/** `node` undefined: of a session. `privileged`: whether the program may use trusted attributes. */
export function attributesOf(node: Node | undefined, privileged: boolean): Attributes {
  return node === undefined ? SESSION : ofDevice(node, privileged);
}

/** No attributes, and no file system that could keep any. */
const SESSION: Attributes = {
  get: (name) => name.startsWith("user.") ? -Errno.ENODATA : -Errno.EOPNOTSUPP,
  set: (name, value) =>
    badValue(name, value) ?? (name.startsWith("user.") ? -Errno.EPERM : -Errno.EOPNOTSUPP),
  remove: (name) => name.startsWith("user.") ? -Errno.EPERM : -Errno.EOPNOTSUPP,
  list: () => [],
};

/** fs/xattr.c: xattr_permission() allows user attributes for files and directories only. */
function ofDevice(node: Node, privileged: boolean): Attributes {
  const { xattrs } = node;
  const known = (name: string) => name.startsWith(TRUSTED) || name.startsWith(SECURITY);
  const refused = (name: string) => {
    if (name === TRUSTED || name === SECURITY) return privileged ? -Errno.EINVAL : -Errno.EPERM;
    if (name.startsWith("user.")) return -Errno.EPERM;
    if (!known(name)) return -Errno.EOPNOTSUPP;
    return privileged ? undefined : -Errno.EPERM;
  };
  return {
    get(name) {
      if (name === TRUSTED || name === SECURITY) return -Errno.EINVAL;
      if (known(name)) return (privileged ? xattrs.get(name) : undefined) ?? -Errno.ENODATA;
      return name.startsWith("user.") || name.startsWith(ACL) ? -Errno.ENODATA : -Errno.EOPNOTSUPP;
    },
    set(name, value, flags) {
      const errno = badValue(name, value) ?? refused(name) ?? put(xattrs, name, value, flags);
      if (errno === 0) touched(node);
      return errno;
    },
    remove(name) {
      // Without an ACL there is none to remove.
      if (name.startsWith(ACL)) return 0;
      const errno = refused(name) ?? (xattrs.delete(name) ? 0 : -Errno.ENODATA);
      if (errno === 0) touched(node);
      return errno;
    },
    list: () => [...xattrs.keys()].filter((name) => privileged || !name.startsWith("trusted.")),
  };
}

/** Only sysfs keeps attributes, and none of users (fs/kernfs/inode.c). fs/xattr.c asks for permission before the file system. */
export function attributesOfKernelFile(
  { system, xattrs }: KernelFileNode,
  privileged: boolean,
  writable: boolean,
): Attributes {
  const kept = (name: string) =>
    system === "sysfs" && (name.startsWith(TRUSTED) || name.startsWith(SECURITY));
  const refused = (name: string) => {
    if (name.startsWith(TRUSTED) && !privileged) return -Errno.EPERM;
    if (name.startsWith("user.") && !writable) return -Errno.EACCES;
    return kept(name) ? undefined : -Errno.EOPNOTSUPP;
  };
  return {
    get(name) {
      if (name.startsWith(TRUSTED) && !privileged) return -Errno.ENODATA;
      return kept(name) ? xattrs.get(name) ?? -Errno.ENODATA : -Errno.EOPNOTSUPP;
    },
    set: (name, value, flags) => badValue(name, value) ?? refused(name) ?? put(xattrs, name, value, flags),
    remove: (name) => refused(name) ?? (xattrs.delete(name) ? 0 : -Errno.ENODATA),
    list: () => [...xattrs.keys()].filter((name) => privileged || !name.startsWith(TRUSTED)),
  };
}
