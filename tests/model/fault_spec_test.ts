/** The syntax of fault specifications, and the counting of faults. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import { BadFaultSpec, type FaultRule, parse_faults } from "../../lib/model/faults/fault_spec.ts";
import { Faults } from "../../lib/model/faults/faults.ts";

Deno.test("parse_faults reads the seed and every rule", () => {
  assert.deepEqual(parse_faults("seed=7, freeze@2=EIO,call@9+=crash, write@1/3=slow:20,page=lost"), {
    seed: 7,
    rules: [
      { place: "freeze", when: { kind: "nth", n: 2 }, what: { kind: "errno", errno: Errno.EIO } },
      { place: "call", when: { kind: "from", n: 9 }, what: { kind: "crash" } },
      { place: "write", when: { kind: "one in", n: 3 }, what: { kind: "slow", ms: 20 } },
      { place: "page", when: { kind: "from", n: 1 }, what: { kind: "lost" } },
    ],
  });
  assert.deepEqual(parse_faults(""), { seed: 1, rules: [] });
});

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ["freeze", /not PLACE/],
  ["seed=x", /"seed" is not a place/],
  ["freeze@0=EIO", /"@0" is not a time/],
  ["freeze@1\/2+=EIO", /not a time/],
  ["freeze@1=EPERM", /"freeze" cannot be "EPERM": EBUSY, EINVAL, EIO, ENOMEM$/],
  ["freeze@1=crash", /cannot be "crash"/],
  ["ioctl@1=EINTR", /cannot be "EINTR": ENOMEM, EMFILE, ENFILE, crash, slow:MS/],
  ["close=EIO", /"close" cannot be "EIO": crash, slow:MS/],
  ["handover=lost", /"handover" can only be corrupt/],
  ["frobnicate=EIO", /"frobnicate" is not a place/],
  ["getpid=crash", /"getpid" is not a place/],
  ["constructor=EIO", /"constructor" is not a place/],
  ["write=short:0", /"write" cannot be "short:0": .*short:N/],
  ["open=short:1", /"open" cannot be "short:1"/],
];
for (const [text, message] of REFUSED) {
  Deno.test(`the spec ${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => parse_faults(text), (error) => {
      assert.ok(error instanceof BadFaultSpec);
      assert.match(error.message, message);
      return true;
    });
  });
}

const IMPOSSIBLE: readonly (readonly [FaultRule, RegExp])[] = [
  [{ place: "write", when: { kind: "nth", n: 1 }, what: { kind: "errno", errno: Errno.ENOENT } }, /"ENOENT"/],
  [{ place: "write", when: { kind: "nth", n: 0 }, what: { kind: "crash" } }, /0 is not a time/],
  [{ place: "freeze", when: { kind: "nth", n: 1 }, what: { kind: "crash" } }, /"freeze" cannot be "crash"/],
  [{ place: "page", when: { kind: "nth", n: 1 }, what: { kind: "corrupt" } }, /"page" can only be lost/],
];
for (const [rule, message] of IMPOSSIBLE) {
  Deno.test(`a rule that can never happen is refused: ${rule.place} ${rule.what.kind} ${rule.when.n}`, () => {
    assert.throws(() => new Faults({ seed: 1, rules: [rule] }), { name: "BadFaultSpec", message });
  });
}

Deno.test("injected faults count from their injection, and end with it", () => {
  const faults = new Faults(parse_faults("alloc@5=ENOMEM"));
  const passed = (times: number) => Array.from({ length: times }, () => faults.errno("alloc"));
  assert.deepEqual(passed(1), [0]);
  {
    using _ = faults.inject(parse_faults("alloc@2=ENOMEM"));
    assert.deepEqual(passed(3), [0, -Errno.ENOMEM, 0]);
  }
  assert.deepEqual(passed(2), [-Errno.ENOMEM, 0]);
});

Deno.test("faults happen the n-th time, from the n-th time on, or one time in k by the seed", () => {
  const hits = (spec: string) => {
    const faults = new Faults(parse_faults(spec));
    return Array.from({ length: 40 }, () => faults.errno("alloc")).flatMap((errno, i) =>
      errno ? [i + 1] : []
    );
  };
  assert.deepEqual(hits("alloc@3=ENOMEM"), [3]);
  assert.deepEqual(hits("alloc@38+=ENOMEM"), [38, 39, 40]);
  const some = hits("seed=5,alloc@1/4=ENOMEM");
  assert.ok(some.length > 2 && some.length < 25);
  assert.deepEqual(hits("seed=5,alloc@1/4=ENOMEM"), some);
  assert.notDeepEqual(hits("seed=6,alloc@1/4=ENOMEM"), some);
});
