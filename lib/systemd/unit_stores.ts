/** The fd stores of all services, as systemd tells root of them. */
import type { SystemdStore } from "../schema/answer_parts.ts";
import type { DbusAnswer, DbusCall } from "./dbus_message.ts";
import { DbusConnection } from "./dbus_connection.ts";
import type { Value } from "./dbus_values.ts";

/** systemd's own socket, which speaks D-Bus without a bus. Only root may connect. */
export const PRIVATE_SOCKET = "/run/systemd/private";

const MANAGER = "org.freedesktop.systemd1.Manager";
const SERVICE = "org.freedesktop.systemd1.Service";
const NAME = "NFileDescriptorStore";
/** A session's link in /proc/1/fd: since Linux 7.0 with its name. */
const SESSION_LINK = "anon_inode:[luo_session]";

/** A loaded service. */
interface Unit {
  readonly name: string;
  readonly path: string;
}

/**
 * The stores that are not empty, by unit.
 *
 * @throws LuoError `connect` (EACCES: not root), `receive` ETIMEDOUT; DbusError
 */
export function unitStores(limit_ms: number, socket = PRIVATE_SOCKET): SystemdStore[] {
  using systemd = new DbusConnection(socket, limit_ms);
  const [units = []] = systemd.calls([ofManager("ListUnits")]).map(first).map(services);
  const counts = systemd.calls(units.map((unit) => property(unit, NAME))).map(first);
  const used = units.filter((_, index) => Number(counts[index]) > 0);
  return used.map((unit) => storeOf(systemd, unit)).toSorted((a, b) => a.unit < b.unit ? -1 : 1);
}

function storeOf(systemd: DbusConnection, unit: Unit): SystemdStore {
  const [preserve, room, dump] = systemd.calls([
    property(unit, "FileDescriptorStorePreserve"),
    property(unit, "FileDescriptorStoreMax"),
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
  return { path: "/org/freedesktop/systemd1", interface: MANAGER, member, texts };
}

function property({ path }: Unit, name: string): DbusCall {
  return { path, interface: "org.freedesktop.DBus.Properties", member: "Get", texts: [SERVICE, name] };
}

/** Undefined for an error: a unit that is gone, a property that this systemd does not have. */
function first({ error, values }: DbusAnswer): Value | undefined {
  return error === undefined ? values[0] : undefined;
}

function listed(value: Value | undefined): readonly Value[] {
  return Array.isArray(value) ? value : [];
}

/** ListUnits answers structs: the name is the first member, the path of the object the seventh. */
function services(units: Value | undefined): Unit[] {
  return listed(units).map((unit) => ({ name: String(listed(unit)[0]), path: String(listed(unit)[6]) }))
    .filter(({ name }) => name.endsWith(".service"));
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
