/** The life of an FLB: registering, first and last file, retrieve, finish. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import type { FileHandler } from "../../lib/model/luo/file_handler.ts";
import { type Flb, Flbs, type SerializedFlb } from "../../lib/model/luo/flb.ts";

/** A handler that is only registered and never called. */
function handler(compatible: string): FileHandler {
  return {
    compatible,
    can_preserve: () => true,
    preserve: () => -Errno.EIO,
    unpreserve: () => {},
    retrieve: () => -Errno.EIO,
    finish: () => {},
  };
}

/** Records every callback. Those in `refuse` fail. */
function recorder(refuse: readonly string[] = []) {
  const calls: string[] = [];
  const flb = (compatible: string): Flb => {
    const answer = (callback: string) => {
      calls.push(`${callback} ${compatible}`);
      return refuse.includes(`${callback} ${compatible}`);
    };
    return {
      compatible,
      preserve: () => answer("preserve") ? -Errno.ENOMEM : { data: 7n, object: { compatible } },
      unpreserve: () => answer("unpreserve"),
      retrieve: () => answer("retrieve") ? -Errno.EINVAL : { compatible },
      finish: () => answer("finish"),
    };
  };
  return { calls, flb };
}

/** Two handlers that both need `pci`; the first needs `iommu` too. vfio and kvm would be such a pair. */
function linked(
  { refuse, handed_over }: { refuse?: readonly string[]; handed_over?: readonly SerializedFlb[] } = {},
) {
  const { calls, flb } = recorder(refuse);
  const warnings: string[] = [];
  const flbs = new Flbs(handed_over, (line) => warnings.push(line));
  const [vfio, kvm] = [handler("vfio"), handler("kvm")];
  const [pci, iommu] = [flb("pci"), flb("iommu")];
  for (const [user, flb] of [[vfio, pci], [vfio, iommu], [kvm, pci]] as const) {
    assert.equal(flbs.register(user, flb, true), 0);
  }
  return { flbs, calls, warnings, vfio, kvm, pci, iommu };
}

Deno.test("an FLB is preserved with its first file and unpreserved with its last, in reverse order", () => {
  const { flbs, calls, vfio, kvm } = linked();
  assert.equal(flbs.file_preserve(vfio), 0);
  assert.equal(flbs.file_preserve(kvm), 0);
  assert.equal(flbs.file_preserve(vfio), 0);
  assert.deepEqual(calls.splice(0), ["preserve pci", "preserve iommu"]);
  assert.deepEqual(flbs.serialize().map(({ compatible, count }) => [compatible, count]), [
    ["pci", 3n],
    ["iommu", 2n],
  ]);
  flbs.file_unpreserve(vfio);
  assert.deepEqual(calls, []);
  flbs.file_unpreserve(vfio);
  assert.deepEqual(calls.splice(0), ["unpreserve iommu"]);
  flbs.file_unpreserve(kvm);
  assert.deepEqual(calls, ["unpreserve pci"]);
  assert.deepEqual(flbs.serialize(), []);
});

Deno.test("when one FLB refuses, those before it are unpreserved", () => {
  const { flbs, calls, vfio, pci } = linked({ refuse: ["preserve iommu"] });
  assert.equal(flbs.file_preserve(vfio), -Errno.ENOMEM);
  assert.deepEqual(calls, ["preserve pci", "preserve iommu", "unpreserve pci"]);
  assert.equal(flbs.get_outgoing(pci), -Errno.ENOENT);
});

Deno.test("an FLB registers with a registered handler, once, under an unused name", () => {
  const { flbs, vfio, kvm, pci, warnings } = linked();
  const { flb } = recorder();
  assert.equal(flbs.register(vfio, pci, true), -Errno.EEXIST);
  assert.equal(flbs.register(vfio, flb("pci"), true), -Errno.EEXIST, "another FLB of that name");
  assert.equal(flbs.register(vfio, flb("new"), false), -Errno.EINVAL, "the handler is not registered");
  flbs.unregister(kvm, flb("strange"));
  assert.match(warnings.join(), /Failed to unregister FLB 'strange'/);
  flbs.unregister(vfio, pci);
  assert.equal(flbs.register(vfio, flb("pci"), true), -Errno.EEXIST, "kvm still uses it");
  flbs.unregister(kvm, pci);
  assert.equal(flbs.register(vfio, flb("pci"), true), 0);
});

Deno.test("a kernel has at most 63 FLBs", () => {
  const { flbs, vfio } = linked();
  const { flb } = recorder();
  const answers = Array.from({ length: 62 }, (_, i) => flbs.register(vfio, flb(`f${i}`), true));
  assert.deepEqual(answers.filter((answer) => answer !== 0), [-Errno.ENOSPC]);
  assert.equal(answers.at(-1), -Errno.ENOSPC);
});

const HANDED_OVER = [{ compatible: "pci", data: 9n, count: 2n }];

Deno.test("in the next kernel an FLB is retrieved once, at its first use, and finished with its last file", () => {
  const { flbs, calls, kvm, pci, iommu } = linked({ handed_over: HANDED_OVER });
  assert.deepEqual(flbs.get_incoming(pci), { compatible: "pci" });
  assert.equal(flbs.get_incoming(pci), flbs.get_incoming(pci));
  for (let i = 0; i < 3; i++) flbs.put_incoming(pci);
  assert.equal(flbs.get_incoming(iommu), -Errno.ENOENT, "not handed over");
  flbs.file_finish(kvm);
  assert.deepEqual(calls, ["retrieve pci"]);
  flbs.file_finish(kvm);
  assert.deepEqual(calls, ["retrieve pci", "finish pci"]);
  assert.equal(flbs.get_incoming(pci), -Errno.ENODATA, "finished");
});

Deno.test("the errno of a failed retrieve of an FLB stays; without a handover get_incoming gives ENODATA", () => {
  const failing = linked({ handed_over: HANDED_OVER, refuse: ["retrieve pci"] });
  for (let i = 0; i < 2; i++) assert.equal(failing.flbs.get_incoming(failing.pci), -Errno.EINVAL);
  assert.deepEqual(failing.calls, ["retrieve pci"]);
  failing.flbs.file_finish(failing.kvm);
  failing.flbs.file_finish(failing.kvm);
  assert.deepEqual(failing.calls, ["retrieve pci"], "the FLB is not finished");
  const cold = linked();
  assert.equal(cold.flbs.get_incoming(cold.pci), -Errno.ENODATA);
});

Deno.test("an FLB that was never used is never finished: the count of 7.3.4 becomes negative, with a warning", () => {
  const { flbs, calls, warnings, kvm } = linked({ handed_over: HANDED_OVER });
  for (let i = 0; i < 2; i++) flbs.file_finish(kvm);
  assert.deepEqual(calls, []);
  assert.deepEqual(warnings, ["refcount_t: underflow; use-after-free."]);
});
