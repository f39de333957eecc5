/** What a program may do in a directory of the host, as the kernel asks before a name is reached, made or removed there. */
import { Errno } from "../../ffi/abi/errno.ts";
import { S_IFDIR, S_IFMT } from "../../ffi/abi/fcntl.ts";
import { owner, ST_RDONLY } from "../../ffi/file.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import type { CallAnswer } from "./call_answer.ts";
import { isMounted, type Subjects } from "./call_subject.ts";
import { CAP_FOWNER, type Credentials, W_OK, X_OK } from "./credentials.ts";
import type { DeviceNodes, Node } from "./device_nodes.ts";

const [S_ISVTX, S_ISGID] = [0o1000, 0o2000];

/** fs/namei.c: may_create(). The errno; undefined: a name may be made in the directory. */
export function whyNotMade(directory: string, credentials: Credentials): number | undefined {
  const found = owner(directory);
  if (typeof found === "number") return -found;
  if ((found.mode & S_IFMT) !== S_IFDIR) return Errno.ENOTDIR;
  if (found.nlink === 0) return Errno.ENOENT;
  if (isMounted({ directory }, ST_RDONLY)) return Errno.EROFS;
  return credentials.may(found, W_OK | X_OK) ? undefined : Errno.EACCES;
}

/** fs/namei.c: may_delete(). In a sticky directory only the owners of the file and of the directory remove a name. */
export function whyNotRemoved(directory: string, node: Node, credentials: Credentials): number | undefined {
  const refused = whyNotMade(directory, credentials);
  const found = owner(directory);
  if (refused !== undefined || typeof found === "number") return refused;
  const owns = credentials.uid === node.uid || credentials.uid === found.uid ||
    credentials.hasOver(CAP_FOWNER, node);
  return found.mode & S_ISVTX && !owns ? Errno.EPERM : undefined;
}

/** rmdir(2): ENOTEMPTY for a directory with names that the host does not know; undefined: the host answers. */
export function whyNotEmpty(
  { tid }: Notification,
  { program, paths }: Subjects,
  nodes: DeviceNodes,
  [dirfd, address]: readonly [dirfd: number, path: bigint],
): CallAnswer {
  const text = program.path(tid, address);
  if (typeof text === "number") return undefined;
  const direct = paths.direct(tid, dirfd, text, { follow: false });
  if (direct !== undefined && nodes.isEmpty(direct)) return undefined;
  const place = paths.resolve(tid, dirfd, text, { follow: false });
  return place?.is === "file" && !nodes.isEmpty(place.path) ? -Errno.ENOTEMPTY : undefined;
}

/** The owner of a new file in the directory. */
export function ownerIn(directory: string, credentials: Credentials): Pick<Node, "uid" | "gid"> {
  const found = owner(directory);
  const inherits = typeof found !== "number" && (found.mode & S_ISGID) !== 0;
  return { uid: credentials.uid, gid: inherits ? found.gid : credentials.gid };
}
