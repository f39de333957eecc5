/** Facts that systemd tells root: its version, its count of kexecs, and the fd stores of all services. */
import type { Systemd, SystemdStore } from "../schema/answer_parts.ts";
import type { DbusAnswer, DbusCall } from "./dbus_message.ts";
import { DbusConnection } from "./dbus_connection.ts";
import type { Value } from "./dbus_values.ts";

/** systemd's own socket, which speaks D-Bus without a bus. Only root may connect. */
export const PRIVATE_SOCKET = "/run/systemd/private";

const MANAGER = "org.freedesktop.systemd1.Manager";
const SERVICE = "org.freedesktop.systemd1.Service";
const MANAGER_PATH = "/org/freedesktop/systemd1";
const COUNT = "NFileDescriptorStore";
/** A session's link in /proc/1/fd: since Linux 7.0 with its name. */
const SESSION_LINK = "anon_inode:[luo_session]";

/** A loaded service. */
interface Unit {
  readonly name: string;
  readonly path: string;
}

/** Facts about systemd. A field that is missing is unknown: this version does not have it. */
export type ManagerFacts = Pick<Systemd, "version" | "kexecCount" | "stores">;

/**
 * The stores are those that are not empty, by unit.
 *
 * @throws LuoError `connect` (EACCES: not root), `receive` ETIMEDOUT; DbusError
 */
export function managerFacts(limit_ms: number, socket = PRIVATE_SOCKET): ManagerFacts {
  using systemd = new DbusConnection(socket, limit_ms);
  const [version, kexecCount, list] = systemd.calls([
    property(MANAGER_PATH, MANAGER, "Version"),
    property(MANAGER_PATH, MANAGER, "KExecCount"),
    ofManager("ListUnits"),
  ]).map(first);
  const units = services(list);
  const counts = systemd.calls(units.map(({ path }) => property(path, SERVICE, COUNT))).map(first);
  const used = units.filter((_, index) => Number(counts[index]) > 0);
  return {
    ...typeof version === "string" ? { version } : {},
    ...typeof kexecCount === "number" ? { kexecCount } : {},
    stores: used.map((unit) => storeOf(systemd, unit)).toSorted((a, b) => a.unit < b.unit ? -1 : 1),
  };
}

function storeOf(systemd: DbusConnection, unit: Unit): SystemdStore {
  const [preserve, room, dump] = systemd.calls([
    property(unit.path, SERVICE, "FileDescriptorStorePreserve"),
    property(unit.path, SERVICE, "FileDescriptorStoreMax"),
    ofManager("DumpUnitFileDescriptorStore", unit.name),
  ]).map(first);
  return {
    unit: unit.name,
    ...isPreserve(preserve) ? { preserve } : {},
    ...typeof room === "number" ? { room } : {},
    ...dump === undefined ? {} : { entries: listed(dump).map(entry) },
  };
}

function ofManager(member: string, ...texts: string[]): DbusCall {
  return { path: MANAGER_PATH, interface: MANAGER, member, texts };
}

function property(path: string, of: string, name: string): DbusCall {
  return { path, interface: "org.freedesktop.DBus.Properties", member: "Get", texts: [of, name] };
}

/** Undefined for an error: a unit that is gone, a property that this systemd does not have. */
function first({ error, values }: DbusAnswer): Value | undefined {
  return error === undefined ? values[0] : undefined;
}

function listed(value: Value | undefined): readonly Value[] {
  return Array.isArray(value) ? value : [];
}

/** ListUnits answers structs of name, description, load state and more; the seventh member is the path of the unit's object. */
function services(units: Value | undefined): Unit[] {
  return listed(units).map(listed).filter(([name, , state]) =>
    String(name).endsWith(".service") && state !== "not-found"
  ).map(([name, , , , , , path]) => ({ name: String(name), path: String(path) }));
}

/** The first member is the name in the store, the eighth what the fd's link in /proc says. */
function entry(value: Value): NonNullable<SystemdStore["entries"]>[number] {
  const [name, link] = [String(listed(value)[0]), String(listed(value)[7])];
  if (!link.startsWith(SESSION_LINK)) return { name, kind: isMemfd(link) ? "memfd" : "other" };
  const session = link.slice(SESSION_LINK.length + 1);
  return { name, kind: "session", ...session === "" ? {} : { session } };
}

/** A memfd that went over a kexec has no name any more. */
function isMemfd(link: string): boolean {
  return link.startsWith("/memfd:") || link === "/ (deleted)";
}

function isPreserve(value: Value | undefined): value is NonNullable<SystemdStore["preserve"]> {
  return value === "yes" || value === "no" || value === "restart";
}
