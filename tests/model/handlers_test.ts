/** Handlers and the files that they preserve: order of callbacks, of checks, and of what is undone. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import { O_RDWR } from "../../ffi/abi/fcntl.ts";
import type { FileEntry } from "../../lib/kho/luo_entries.ts";
import type { Room } from "../../lib/model/kho/block_set.ts";
import { type FileHandler, has_callbacks } from "../../lib/model/luo/file_handler.ts";
import { OpenFile, stat } from "../../lib/model/fs/file.ts";
import { type Flb, Flbs } from "../../lib/model/luo/flb.ts";
import { Faults, NO_FAULTS } from "../../lib/model/faults/faults.ts";
import { Handlers } from "../../lib/model/luo/handler_registry.ts";
import { IncomingFiles, OutgoingFiles } from "../../lib/model/luo/session_files.ts";

/** Room for three files. */
function room(): Room<FileEntry> {
  return { grow: (count) => count > 3 ? -Errno.ENOSPC : 0, shrink: () => {}, write: () => 0 };
}

function file(): OpenFile {
  return new OpenFile({ stat: () => stat({}) }, {}, O_RDWR, () => "test");
}

/** One handler with one FLB. Every callback is recorded; those in `refuse` fail. */
function world(refuse: readonly string[] = []) {
  const calls: string[] = [];
  const note = (call: string) => calls.push(call) > 0 && refuse.includes(call);
  const handler: FileHandler = {
    compatible: "test-v1",
    can_preserve: () => !note("can_preserve"),
    preserve: () => note("preserve") ? -Errno.EIO : { data: 0n },
    unpreserve: () => note("unpreserve"),
    retrieve: () => note("retrieve") ? -Errno.EIO : file(),
    can_finish: () => !note("can_finish"),
    finish: () => note("finish"),
  };
  const flb: Flb = {
    compatible: "flb-v1",
    preserve: () => note("flb preserve") ? -Errno.ENOMEM : { data: 1n, object: {} },
    unpreserve: () => note("flb unpreserve"),
    retrieve: () => note("flb retrieve") ? -Errno.EIO : {},
    finish: () => note("flb finish"),
  };
  const handed_over = [{ compatible: "flb-v1", data: 1n, count: 2n }];
  const handlers = new Handlers(new Flbs(handed_over, () => {}), new Faults(NO_FAULTS), () => {});
  assert.equal(handlers.register_flb(handler, flb), -Errno.EINVAL, "before its handler");
  assert.equal(handlers.register(handler), 0);
  assert.equal(handlers.register_flb(handler, flb), 0);
  return { handlers, handler, flb, calls };
}

Deno.test("a handler is registered once, with all callbacks, and unregistered when no file uses it", () => {
  const { handlers, handler } = world();
  assert.equal(handlers.register(handler), -Errno.EEXIST);
  assert.equal(handlers.register({ ...handler }), -Errno.EEXIST, "the name counts");
  const { finish: _, ...lacking } = handler;
  assert.equal(has_callbacks(Object.assign(lacking, { finish: JSON.parse("null") })), false);
  const files = new OutgoingFiles(handlers, room());
  assert.equal(files.preserve(1n, file()), 0);
  assert.equal(handlers.unregister(handler), -Errno.EAGAIN);
  files.unpreserve();
  assert.equal(handlers.unregister(handler), 0);
  assert.equal(handlers.unregister(handler), -Errno.ENOENT);
  assert.equal(files.preserve(1n, file()), -Errno.ENOENT);
});

Deno.test("preserve calls the FLB before the file; unpreserve the file before the FLB", () => {
  const { handlers, calls } = world();
  const files = new OutgoingFiles(handlers, room());
  assert.deepEqual([files.preserve(1n, file()), files.preserve(2n, file())], [0, 0]);
  files.unpreserve();
  assert.deepEqual(calls, [
    ...["can_preserve", "flb preserve", "preserve", "can_preserve", "preserve"],
    ...["unpreserve", "unpreserve", "flb unpreserve"],
  ]);
});

for (
  const [refused, errno, calls] of [
    ["can_preserve", Errno.ENOENT, []],
    ["flb preserve", Errno.ENOMEM, ["flb preserve"]],
    ["preserve", Errno.EIO, ["flb preserve", "preserve", "flb unpreserve"]],
  ] as const
) {
  Deno.test(`when ${refused} fails, the steps before it are undone and the file is free`, () => {
    const { handlers, handler, calls: seen } = world([refused]);
    const one = file();
    assert.equal(new OutgoingFiles(handlers, room()).preserve(1n, one), -errno);
    assert.deepEqual(seen, ["can_preserve", ...calls]);
    assert.ok(handlers.claim(handler, one));
    assert.equal(handlers.unregister(handler), 0);
  });
}

Deno.test("preserve checks the token, room, the fd, the handler, and whether the file is preserved already", () => {
  const { handlers } = world();
  const files = new OutgoingFiles(handlers, room());
  const one = file();
  assert.equal(files.preserve(1n, one), 0);
  assert.equal(files.preserve(1n, undefined), -Errno.EEXIST);
  assert.equal(files.preserve(2n, undefined), -Errno.EBADF);
  assert.equal(new OutgoingFiles(handlers, room()).preserve(1n, one), -Errno.EBUSY, "in any session");
  files.preserve(2n, file());
  files.preserve(3n, file());
  assert.equal(files.preserve(4n, undefined), -Errno.ENOSPC);
  assert.equal(files.preserve(3n, undefined), -Errno.EEXIST);
});

function incoming(handlers: Handlers): IncomingFiles {
  const files = new IncomingFiles(handlers);
  for (const token of [1n, 2n]) {
    assert.ok(files.add({ compatible: "test-v1", token, data: 0n }));
  }
  return files;
}

Deno.test("retrieve calls the handler once; finish asks all handlers, then ends with the oldest file and the FLB", () => {
  const { handlers, handler, flb, calls } = world();
  const files = incoming(handlers);
  assert.equal(files.add({ compatible: "other-v1", token: 3n, data: 0n }), false);
  assert.equal(files.retrieve(1n, 0), files.retrieve(1n, 0));
  handlers.flbs.get_incoming(flb);
  handlers.flbs.put_incoming(flb);
  assert.equal(handlers.unregister(handler), -Errno.EAGAIN);
  assert.equal(files.finish(), 0);
  assert.deepEqual(calls, [
    ...["retrieve", "flb retrieve", "can_finish", "can_finish", "finish", "finish", "flb finish"],
  ]);
  assert.equal(handlers.unregister(handler), 0);
});

Deno.test("one file that cannot finish keeps the whole session; the errno of a failed retrieve stays", () => {
  const refusing = world(["can_finish", "retrieve"]);
  const files = incoming(refusing.handlers);
  for (let i = 0; i < 2; i++) assert.equal(files.retrieve(2n, 0), -Errno.EIO);
  assert.equal(files.finish(), -Errno.EBUSY);
  assert.deepEqual(refusing.calls, ["retrieve", "can_finish"]);
  assert.equal(files.retrieve(9n, 0), -Errno.ENOENT);
});
