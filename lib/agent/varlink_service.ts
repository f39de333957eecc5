/** The calls of org.varlink.service: what this service is, and how its interfaces are described. */
import { varlinkText } from "../schema/varlink_text.ts";
import { INTERFACE } from "./protocol.ts";
import type { Reply } from "./server_options.ts";
import { invalidParameter, type VarlinkCall, VarlinkError } from "./varlink.ts";

const SERVICE = "org.varlink.service";

const SERVICE_DESCRIPTION = `# What every Varlink service says of itself.
interface org.varlink.service

method GetInfo() -> (
  vendor: string,
  product: string,
  version: string,
  url: string,
  interfaces: []string
)

method GetInterfaceDescription(interface: string) -> (description: string)

error InterfaceNotFound (interface: string)

error MethodNotFound (method: string)

error MethodNotImplemented (method: string)

error InvalidParameter (parameter: string)

error PermissionDenied ()

error ExpectedMore ()
`;

const DESCRIPTIONS: Readonly<Record<string, () => string>> = {
  [INTERFACE]: () => varlinkText(INTERFACE),
  [SERVICE]: () => SERVICE_DESCRIPTION,
};

/** The answer to `GetInfo`: this program. */
export interface Identity {
  /** The version of luo. */
  readonly version: string;
}

/** Answers calls of org.varlink.service and refuses calls of unknown interfaces. Undefined: the call is for the agent. */
export function serviceCall(
  { method, parameters, upgrade }: VarlinkCall,
  { version }: Identity,
): Reply | undefined {
  // Nothing here turns a connection into one of another protocol: to answer as if it had would leave both sides waiting.
  if (upgrade) throw new VarlinkError(`${SERVICE}.MethodNotImplemented`, { method });
  const dot = method.lastIndexOf(".");
  const name = method.slice(0, Math.max(dot, 0));
  if (name === INTERFACE) return undefined;
  if (name !== SERVICE) throw new VarlinkError(`${SERVICE}.InterfaceNotFound`, { interface: name });
  switch (method.slice(dot + 1)) {
    case "GetInfo":
      return {
        parameters: {
          vendor: "luo",
          product: "luo agent",
          version,
          url: "",
          interfaces: Object.keys(DESCRIPTIONS),
        },
      };
    case "GetInterfaceDescription":
      return { parameters: { description: description(parameters.interface) } };
    default:
      throw new VarlinkError(`${SERVICE}.MethodNotFound`, { method });
  }
}

function description(name: unknown): string {
  if (typeof name !== "string") throw invalidParameter("interface");
  const text = Object.hasOwn(DESCRIPTIONS, name) ? DESCRIPTIONS[name]?.() : undefined;
  if (text === undefined) throw new VarlinkError(`${SERVICE}.InterfaceNotFound`, { interface: name });
  return text;
}
