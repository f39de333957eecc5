/**
 * `deno task test:varlink`: other people's Varlink clients, from Debian: systemd's varlinkctl, python3-varlink, python3-asyncvarlink and
 * varlink-go hand their memory over a kexec of the model, and varlinkctl tries the edges of the protocol.
 */
import assert from "node:assert/strict";
import { TestAgent } from "../agent/start.ts";

/** As in .ci/run. */
const CANNOT_RUN = 77;
const here = new URL(".", import.meta.url).pathname;
interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program, which must end with 0. */
async function run(command: readonly string[]): Promise<Outcome> {
  const outcome = await tried(command);
  assert.equal(outcome.code, 0, `${command.join(" ")}: ${outcome.err}`);
  return outcome;
}

async function tried([program = "", ...args]: readonly string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out ?? "", err: err ?? "" };
}

/** A call with varlinkctl: its options, method and parameters, the exit code, and the words that it prints. */
interface Edge {
  readonly options?: readonly string[];
  readonly method: string;
  readonly parameters?: object;
  readonly code: number;
  readonly says: RegExp;
}

const EDGES: readonly Edge[] = [
  { method: "Identify", code: 0, says: /"backend":"model"/ },
  { method: "CreateSession", parameters: { name: "a" }, code: 0, says: /"state":"outgoing"/ },
  { options: ["--oneway"], method: "CreateSession", parameters: { name: "oneway" }, code: 0, says: /^$/ },
  {
    options: ["--more"],
    method: "CreateSession",
    parameters: { name: "more" },
    code: 0,
    says: /"name":"more"/,
  },
  {
    options: ["--more"],
    method: "ListSessions",
    code: 0,
    says: /"a".*"more".*"oneway"|"a".*"oneway".*"more"/s,
  },
  { options: ["--collect"], method: "ListSessions", code: 0, says: /^\[/ },
  // A watch does not end by itself; the answers until then are printed.
  { options: ["--more", "--timeout=1"], method: "GetStatus", code: 1, says: /"status".*timed out/si },
  { options: ["--upgrade"], method: "GetStatus", code: 1, says: /org.varlink.service.MethodNotImplemented/ },
  { method: "CreateSession", parameters: { name: "b", colour: 1 }, code: 1, says: /"parameter":"colour"/ },
  { method: "CreateSession", parameters: { name: 5 }, code: 1, says: /"parameter":"name"/ },
  { method: "CreateSession", code: 1, says: /"parameter":"name"/ },
  { method: "FinishSession", parameters: { name: "a", force: null }, code: 1, says: /WrongState/ },
  { method: "Explode", code: 1, says: /"method":"io.luo.Agent.Explode"/ },
  {
    options: ["--graceful=io.luo.Agent.NoSuchSession"],
    method: "RetrieveSession",
    parameters: { name: "nope" },
    code: 0,
    says: /"session":"nope"/,
  },
  {
    method: "PreserveFile",
    parameters: { session: "a", token: "1", fileFd: 0 },
    code: 1,
    says: /"parameter":"fileFd"/,
  },
];

async function edges({ socket }: TestAgent, packages: string): Promise<void> {
  const varlinkctl = `${packages}/varlinkctl`;
  for (const { options = [], method, parameters = {}, code, says } of EDGES) {
    const call = ["--json=short", ...options, "call", socket, `io.luo.Agent.${method}`];
    const outcome = await tried([varlinkctl, ...call, JSON.stringify(parameters)]);
    const words = `${options.join(" ")} ${method} ${JSON.stringify(parameters)}`;
    assert.equal(outcome.code, code, `${words}: ${outcome.out}${outcome.err}`);
    assert.match(outcome.out + outcome.err, says, words);
  }
  const { out } = await run([varlinkctl, "introspect", socket, "io.luo.Agent"]);
  const file = `${packages}/io.luo.Agent.varlink`;
  await Deno.writeTextFile(file, out);
  await run([varlinkctl, "validate-idl", file]);
  assert.match((await run([varlinkctl, "info", socket])).out, /luo agent/);
  assert.match((await run([varlinkctl, "list-methods", socket])).out, /io\.luo\.Agent\.PreserveFile/);
}

/** Downloads the clients. Where no mirror gives them, the test ends with 77: it cannot run here. */
async function download(packages: string): Promise<void> {
  const { code, err } = await tried([`${here}packages.sh`, packages]);
  if (code === 0) return;
  await Deno.remove(packages, { recursive: true });
  console.error(err.trim());
  Deno.exit(code === CANNOT_RUN ? CANNOT_RUN : 1);
}

const packages = await Deno.makeTempDir({ prefix: "luo-varlink-" });
try {
  await download(packages);
  const { out } = await run([`${here}../../examples/varlink.sh`, packages]);
  assert.match(out, /^Varlink clients that got their memory back: 4$/m);
  await using agent = await TestAgent.start();
  await edges(agent, packages);
  console.log("All Varlink clients have done what they should");
} finally {
  await Deno.remove(packages, { recursive: true });
}
