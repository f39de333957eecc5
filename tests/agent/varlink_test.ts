/** Varlink on the wire: messages, their file descriptors, calls and replies. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeCall, decodeReply, Framer, ProtocolError } from "../../lib/agent/varlink.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("varlink: messages come out whole however the stream is cut", () => {
  const text = fc.array(fc.string().filter((one) => !one.includes("\0")), { maxLength: 5 });
  fc.assert(fc.property(text, fc.array(fc.integer({ min: 1, max: 9 })), (messages, cuts) => {
    const stream = encode(messages.map((message) => message + "\0").join(""));
    const framer = new Framer(1000, 8);
    const out: string[] = [];
    for (let at = 0, cut = 0; at < stream.length; cut++) {
      const length = cuts[cut] ?? 1000;
      out.push(...framer.push(stream.subarray(at, at + length), []).map(({ bytes }) => decode(bytes)));
      at += length;
    }
    assert.deepEqual(out, messages);
  }));
});

const pieces: { what: string; push: [string, number[]][]; out: [string, number[]][] }[] = [
  { what: "a whole message", push: [["a\0", [5]]], out: [["a", [5]]] },
  { what: "the second of two", push: [["a\0b\0", [5]]], out: [["a", []], ["b", [5]]] },
  {
    what: "one that goes on in the next piece",
    push: [["a\0b", [5]], ["c\0", []]],
    out: [["a", []], ["bc", [5]]],
  },
  { what: "one after another", push: [["a\0", [5]], ["b\0", [6, 7]]], out: [["a", [5]], ["b", [6, 7]]] },
];
for (const { what, push, out } of pieces) {
  Deno.test(`varlink: fds belong to ${what}`, () => {
    const framer = new Framer(100, 8);
    const messages = push.flatMap(([text, fds]) => framer.push(encode(text), fds));
    assert.deepEqual(messages.map(({ bytes, fds }) => [decode(bytes), fds]), out);
  });
}

Deno.test("varlink: too long a message and too many fds end the connection, and no fd is forgotten", () => {
  assert.throws(() => new Framer(3, 8).push(encode("four"), []), ProtocolError);
  const framer = new Framer(100, 2);
  assert.throws(() => framer.push(encode("a"), [5, 6, 7]), ProtocolError);
  assert.deepEqual(framer.drop(), [5, 6, 7]);
});

Deno.test("varlink: a call is an object with a method; anything else is a protocol error", () => {
  const call = { bytes: encode('{"method":"a.b","parameters":{"c":1},"more":true}'), fds: [3] };
  assert.deepEqual(decodeCall(call), {
    method: "a.b",
    parameters: { c: 1 },
    more: true,
    oneway: false,
    upgrade: false,
    fds: [3],
  });
  const none = '{"method":"a.b","parameters":null}';
  assert.deepEqual(decodeCall({ bytes: encode(none), fds: [] }).parameters, {});
  assert.deepEqual(decodeReply(encode('{"parameters":null}')).parameters, {});
  const wrong = [
    "",
    "{",
    "[]",
    "null",
    "1",
    '"x"',
    "{}",
    '{"method":1}',
    '{"method":"a","parameters":[]}',
    '{"method":"a","parameters":0}',
    '{"method":"a","more":1}',
  ];
  for (const text of wrong) {
    assert.throws(() => decodeCall({ bytes: encode(text), fds: [] }), ProtocolError, text);
  }
  assert.throws(() => decodeCall({ bytes: Uint8Array.of(0x22, 0xff, 0x22), fds: [] }), ProtocolError);
});
