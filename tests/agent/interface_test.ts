/** The interface of the agent: its served description, and the checks of requests by it. */
import assert from "node:assert/strict";
import { type ErrorName, INTERFACE, type MethodName } from "../../lib/agent/protocol.ts";
import { checkRequest, isMethod } from "../../lib/agent/request_checks.ts";
import { serviceCall } from "../../lib/agent/varlink_service.ts";
import { VarlinkError } from "../../lib/agent/varlink.ts";
import { METHODS } from "../../lib/schema/methods.ts";
import { struct } from "../../lib/schema/parts.ts";
import { fieldsOf, shapeOf } from "../../lib/schema/shape.ts";
import { varlinkText } from "../../lib/schema/varlink_text.ts";
import { parseDescription, type Type } from "./idl.ts";

const DESCRIPTION = varlinkText(INTERFACE);
const description = parseDescription(DESCRIPTION);

/** The compiler holds this to `Errors`: one more or one less there does not compile here. */
const ERRORS: Record<ErrorName, readonly string[]> = {
  KernelError: ["operation", "subject", "errno", "message"],
  Refused: ["operation", "subject", "reasons", "problems"],
  NoSuchSession: ["session", "known"],
  NoSuchFile: ["session", "token", "known"],
  NoSuchKey: ["key"],
  NoSuchUpdate: ["update", "known"],
  WrongState: ["session", "state", "operation", "message"],
  UpdateFailed: ["step", "event", "outcome", "participant", "reason", "state", "message"],
  WrongUpdateState: ["step", "state", "message"],
  BadRequest: ["message"],
  NotAllowed: ["message"],
  Busy: ["clients"],
  InternalError: ["message"],
};

/** The words of Varlink's description, where they are others. */
const VARLINK: Readonly<Record<string, string>> = { words: "enum", list: "array" };

function written(type: Type): string {
  if (type.kind === "optional") return `?${written(type.of)}`;
  return type.kind === "name" ? type.name : type.kind;
}

Deno.test("interface: the description has the methods and parameters that the agent checks", () => {
  assert.equal(description.name, INTERFACE);
  const described = [...description.methods].map(([name, { input }]) =>
    [name, Object.fromEntries([...input.fields].map(([field, type]) => [field, written(type)]))] as const
  );
  const checked = Object.entries(METHODS).map(([name, { request }]) =>
    [
      name,
      Object.fromEntries(
        fieldsOf(shapeOf(struct(request))).map(({ name, optional, shape }) => [
          name,
          `${optional ? "?" : ""}${VARLINK[shape.kind] ?? shape.kind}`,
        ]),
      ),
    ] as const
  );
  assert.deepEqual(Object.fromEntries(described), Object.fromEntries(checked));
});

Deno.test("interface: the description has the errors of the protocol", () => {
  const described = [...description.errors].map(([name, { fields }]) => [name, [...fields.keys()]] as const);
  assert.deepEqual(Object.fromEntries(described), ERRORS);
});

Deno.test("interface: every type that is named is described, and every member has a comment", () => {
  const known = new Set(["string", "bool", "int", ...description.types.keys()]);
  const names = [...DESCRIPTION.replace(/#.*$/gm, "").matchAll(/:\s*[?[\]]*([A-Za-z]+)/g)].map((
    [, name = ""],
  ) => name);
  assert.ok(names.length > 50);
  assert.deepEqual(names.filter((name) => !known.has(name)), []);
  assert.deepEqual(description.uncommented, []);
});

Deno.test("interface: org.varlink.service describes both interfaces", () => {
  const ask = (parameters: Record<string, unknown>) =>
    serviceCall({
      method: "org.varlink.service.GetInterfaceDescription",
      parameters,
      more: false,
      oneway: false,
      upgrade: false,
      fds: [],
    }, { version: "1" })?.parameters.description;
  assert.equal(ask({ interface: INTERFACE }), DESCRIPTION);
  const service = parseDescription(String(ask({ interface: "org.varlink.service" })));
  assert.deepEqual([...service.methods.keys()], ["GetInfo", "GetInterfaceDescription"]);
  assert.deepEqual([...service.errors.keys()], [
    "InterfaceNotFound",
    "MethodNotFound",
    "MethodNotImplemented",
    "InvalidParameter",
    "PermissionDenied",
    "ExpectedMore",
  ]);
});

const wrong: { method: MethodName; parameters: Record<string, unknown>; names: string }[] = [
  { method: "CreateSession", parameters: {}, names: "name" },
  { method: "CreateSession", parameters: { name: 1 }, names: "name" },
  { method: "CreateSession", parameters: { name: null }, names: "name" },
  { method: "CreateSession", parameters: { name: "a", nmae: "b" }, names: "nmae" },
  { method: "GetStatus", parameters: { more: true }, names: "more" },
  { method: "GetStatus", parameters: JSON.parse('{"__proto__":1}'), names: "__proto__" },
  { method: "GetStatus", parameters: { toString: 1 }, names: "toString" },
  { method: "GetStatus", parameters: { more: null }, names: "more" },
  { method: "FinishSession", parameters: { name: "a", force: "yes" }, names: "force" },
  { method: "PreserveFile", parameters: { session: "a", token: 7, fileFd: 0 }, names: "token" },
  { method: "PreserveFile", parameters: { session: "a", token: "7", fileFd: 0.5 }, names: "fileFd" },
  { method: "PreserveFile", parameters: { session: "a", token: "7", fileFd: 2 ** 53 }, names: "fileFd" },
];
for (const { method, parameters, names } of wrong) {
  Deno.test(`interface: ${method} with ${JSON.stringify(parameters)} names "${names}"`, () => {
    assert.throws(() => checkRequest(method, parameters), (error) => {
      assert.ok(error instanceof VarlinkError);
      assert.equal(error.error, "org.varlink.service.InvalidParameter");
      assert.deepEqual(error.parameters, { parameter: names });
      return true;
    });
  });
}

Deno.test("interface: null stands for an optional parameter that is left out", () => {
  assert.deepEqual(checkRequest("FinishSession", { name: "a", force: null }), { name: "a" });
});

Deno.test("interface: a lone surrogate in any text of any request names its parameter", () => {
  let texts = 0;
  for (const [method, { request }] of Object.entries(METHODS)) {
    assert.ok(isMethod(method));
    const fields = fieldsOf(shapeOf(struct(request)));
    const good = Object.fromEntries(
      fields.map(({ name, shape }) => [
        name,
        shape.kind === "words" ? shape.words[0] : { string: "a", int: 0, bool: true }[shape.kind as "string"],
      ]),
    );
    assert.deepEqual(checkRequest(method, good), good);
    for (const { name } of fields.filter(({ shape }) => shape.kind === "string")) {
      texts++;
      for (const bad of ["\ud800", "a\udfff", "\udc00\ud800"]) {
        assert.throws(
          () => checkRequest(method, { ...good, [name]: bad }),
          (error) => error instanceof VarlinkError && error.parameters.parameter === name,
        );
      }
    }
  }
  assert.ok(texts > 15);
});
