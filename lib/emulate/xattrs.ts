/** The rules of extended attributes for the device, an inode of devtmpfs, for sessions, which are anonymous inodes, and for files of /proc and /sys. */
import { Errno } from "../../ffi/abi/errno.ts";
import { encodeOsText } from "../../ffi/abi/os_text.ts";
import type { Ret } from "../system_calls.ts";
import { type Node, touched } from "./device_nodes.ts";
import type { KernelFileNode } from "./kernel_file_nodes.ts";

const CAPABILITY = "security.capability";
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
  if (name.startsWith(ACL)) return badAcl(value);
  if (name !== CAPABILITY || value.length === 0) return undefined;
  const revision = value.length < 4 ? 0 : new DataView(value.buffer).getUint32(0, true) >>> 24;
  return CAPABILITY_SIZES[revision] === value.length ? undefined : -Errno.EINVAL;
}

/** linux/posix_acl_xattr.h: u32 version. Without a value the ACL is removed. */
function badAcl(value: Uint8Array<ArrayBuffer>): Ret | undefined {
  if (value.length === 0) return undefined;
  const version = value.length < 4 ? 2 : new DataView(value.buffer).getUint32(0, true);
  return version === 2 ? -Errno.EINVAL : -Errno.EOPNOTSUPP;
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

/** What a program may do: use trusted attributes, and read or write the file. */
export interface Rights {
  readonly privileged: boolean;
  readonly reads: boolean;
  readonly writes: boolean;
  readonly owns: boolean;
}

/** `node` undefined: of a session. */
export function attributesOf(node: Node | undefined, rights: Rights): Attributes {
  return node === undefined ? ofSession(rights) : ofDevice(node, rights);
}

/** fs/xattr.c: xattr_permission(), for what is neither a file nor a directory. */
function whyNot(name: string, rights: Rights, writing: boolean): Ret | undefined {
  const hidden = name.startsWith("user.") || (name.startsWith(TRUSTED) && !rights.privileged);
  if (hidden) return writing ? -Errno.EPERM : -Errno.ENODATA;
  if (name.startsWith(SECURITY)) return writing && !rights.privileged ? -Errno.EPERM : undefined;
  if ([TRUSTED, "system."].some((prefix) => name.startsWith(prefix))) return undefined;
  return (writing ? rights.writes : rights.reads) ? undefined : -Errno.EACCES;
}

/** security/commoncap.c judges only a capability that is there. */
function isNoCapability(name: string, value: Uint8Array<ArrayBuffer>): boolean {
  return name === CAPABILITY && value.length === 0;
}

/** No attributes, and no file system that could keep any. */
function ofSession(rights: Rights): Attributes {
  return {
    get: (name) => whyNot(name, rights, false) ?? -Errno.EOPNOTSUPP,
    set: (name, value) =>
      badValue(name, value) ?? (isNoCapability(name, value) ? undefined : whyNot(name, rights, true)) ??
        -Errno.EOPNOTSUPP,
    remove: (name) => whyNot(name, rights, true) ?? -Errno.EOPNOTSUPP,
    list: () => [],
  };
}

/** fs/xattr.c: xattr_permission() allows user attributes for files and directories only. */
function ofDevice(node: Node, rights: Rights): Attributes {
  const { xattrs } = node;
  const { privileged } = rights;
  const known = (name: string) => name.startsWith(TRUSTED) || name.startsWith(SECURITY);
  const refused = (name: string) => {
    if (name === TRUSTED || name === SECURITY) return privileged ? -Errno.EINVAL : -Errno.EPERM;
    if (name.startsWith("user.")) return -Errno.EPERM;
    if (!known(name)) return whyNot(name, rights, true) ?? -Errno.EOPNOTSUPP;
    return privileged ? undefined : -Errno.EPERM;
  };
  return {
    get(name) {
      if (name === SECURITY || (name === TRUSTED && privileged)) return -Errno.EINVAL;
      if (known(name)) return (privileged ? xattrs.get(name) : undefined) ?? -Errno.ENODATA;
      return name.startsWith(ACL) ? -Errno.ENODATA : whyNot(name, rights, false) ?? -Errno.EOPNOTSUPP;
    },
    set(name, value, flags) {
      if (name.startsWith(ACL) && value.length === 0) return rights.owns ? 0 : -Errno.EPERM;
      const errno = badValue(name, value) ?? (isNoCapability(name, value) ? undefined : refused(name)) ??
        put(xattrs, name, value, flags);
      if (errno === 0) touched(node);
      return errno;
    },
    remove(name) {
      // Without an ACL there is none to remove.
      if (name.startsWith(ACL)) return rights.owns ? 0 : -Errno.EPERM;
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
  rights: Rights,
): Attributes {
  const { privileged } = rights;
  const kept = (name: string) =>
    system === "sysfs" && (name.startsWith(TRUSTED) || name.startsWith(SECURITY));
  const unkept = (name: string) => kept(name) ? undefined : -Errno.EOPNOTSUPP;
  // fs/xattr.c: a handler's name goes on after its prefix.
  const nameless = (name: string) =>
    system === "sysfs" && [TRUSTED, SECURITY, "user."].includes(name) ? -Errno.EINVAL : undefined;
  const refused = (name: string) => {
    const special = [TRUSTED, SECURITY, "system."].some((prefix) => name.startsWith(prefix));
    if ((name.startsWith(TRUSTED) || name.startsWith(SECURITY)) && !privileged) return -Errno.EPERM;
    if (!special && !rights.writes) return -Errno.EACCES;
    return nameless(name) ?? unkept(name);
  };
  return {
    get(name) {
      if (name.startsWith(TRUSTED) && !privileged) return -Errno.ENODATA;
      const special = [TRUSTED, SECURITY, "system."].some((prefix) => name.startsWith(prefix));
      if (!special && !rights.reads) return -Errno.EACCES;
      const none = system === "sysfs" && name.startsWith("user.") ? -Errno.ENODATA : -Errno.EOPNOTSUPP;
      return nameless(name) ?? (kept(name) ? xattrs.get(name) ?? -Errno.ENODATA : none);
    },
    set: (name, value, flags) =>
      badValue(name, value) ?? (isNoCapability(name, value) ? unkept(name) : refused(name)) ??
        put(xattrs, name, value, flags),
    remove: (name) => refused(name) ?? (xattrs.delete(name) ? 0 : -Errno.ENODATA),
    list: () => [...xattrs.keys()].filter((name) => privileged || !name.startsWith(TRUSTED)),
  };
}
