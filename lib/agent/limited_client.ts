/** The requests that a client with access rules may make, and how much of an answer it sees. All that is not named here is refused. */
import { ruleFor, type Rules, sees } from "./access.ts";
import type { AgentState } from "./agent_state.ts";
import type { ErrorName, MethodName, Status } from "./protocol.ts";
import { INTERFACE } from "./protocol.ts";
import { agentError } from "./request_checks.ts";
import { VarlinkError } from "./varlink.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The methods, each with the parameters that it may have. The first one names the session. */
const ALLOWED: Readonly<Partial<Record<MethodName, readonly string[]>>> = {
  Identify: [],
  GetStatus: [],
  ListSessions: ["name", "limit", "after"],
  CreateSession: ["name"],
  RetrieveSession: ["name"],
  FinishSession: ["name", "force"],
  CloseSession: ["name", "force"],
  PreserveFile: ["session", "token", "fileFd", "label", "digest"],
  RestoreFile: ["session", "token", "mark"],
  MarkFile: ["session", "token", "restored"],
};

/** Labels are in every status and every journal. */
const LABEL_MAX = 256;

/**
 * Checks a request of a client with these rules, before the agent acts on it.
 *
 * @throws VarlinkError NotAllowed
 */
export function checkLimited(rules: Rules, state: AgentState, name: MethodName, request: object): void {
  const fields: Fields = { ...request };
  const allowed = ALLOWED[name];
  if (allowed === undefined) throw notAllowed(`${name} is for the agent's user and root`);
  const strange = Object.keys(fields).find((key) =>
    !allowed.includes(key) && fields[key] !== undefined && fields[key] !== false
  );
  if (strange !== undefined) {
    throw notAllowed(PARAMETERS[strange] ?? `${strange} is for the agent's user and root`);
  }
  const session = fields[allowed[0] ?? ""];
  if (typeof session === "string" && !sees(rules, session)) {
    throw notAllowed(`no access rule gives it session ${JSON.stringify(session)}`);
  }
  if (typeof fields.label === "string" && fields.label.length > LABEL_MAX) {
    throw notAllowed(`a label has at most ${LABEL_MAX} characters`);
  }
  checkLimits(rules, state, name, session);
}

/** Why a parameter is refused. */
const PARAMETERS: Readonly<Record<string, string>> = {
  pid: "it has to send the descriptor itself: the agent could take more from a process than the client may",
  descriptor:
    "it has to send the descriptor itself: the agent could take more from a process than the client may",
  path: "it has to receive the descriptor: a path leads into the agent's process",
  force: "force could open a file that the client may only read for writing, or take the memory of others",
};

function checkLimits(rules: Rules, state: AgentState, method: MethodName, session: unknown): void {
  if (typeof session !== "string") return;
  const limit = method === "CreateSession" ? "sessions" : method === "PreserveFile" ? "files" : undefined;
  const rule = limit && ruleFor(rules, session, limit);
  if (limit === undefined || rule === undefined) return;
  const own = [...state.outgoing.values()].filter(({ info }) => sees([rule], info.name));
  const count = limit === "sessions" ? own.length : own.reduce((sum, { info }) => sum + info.files.length, 0);
  if (count >= rule[limit]) throw notAllowed(`its access rule has a limit of ${rule[limit]} ${limit}`);
}

function notAllowed(message: string): VarlinkError {
  return agentError("NotAllowed", { message });
}

/** Whether this is a refusal of the rules, for the log. */
export function isNotAllowed(error: unknown): error is VarlinkError {
  return error instanceof VarlinkError && error.error === `${INTERFACE}.${"NotAllowed" satisfies ErrorName}`;
}

/** The part of the status that the rules show: facts of the machine that /proc shows to every user, and the client's own sessions. */
export function limitedStatus(rules: Rules, status: Status): Status {
  const { backend, kernel, device, agent, image, sessions, unlisted, losses } = status;
  return {
    backend,
    kernel,
    device,
    agent,
    image: { loaded: image.loaded },
    sessions: sessions.filter(({ name }) => sees(rules, name)),
    ...unlisted === undefined ? {} : { unlisted },
    losses: losses.filter(({ session }) => sees(rules, session)),
  };
}

/** An error without the names of other users' sessions. */
export function limitedError(rules: Rules, error: unknown): unknown {
  if (!(error instanceof VarlinkError) || error.error !== `${INTERFACE}.NoSuchSession`) return error;
  const { known } = error.parameters;
  if (!Array.isArray(known)) return error;
  const own = known.filter((name) => typeof name === "string" && sees(rules, name));
  return new VarlinkError(error.error, { ...error.parameters, known: own });
}
