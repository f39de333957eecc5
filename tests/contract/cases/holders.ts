/** Cases: a session lives as long as the last holder of its fd. */
import { O_CLOEXEC, O_RDWR } from "../../../ffi/abi/fcntl.ts";
import { LIVEUPDATE_DEVICE } from "../../../ffi/abi/liveupdate.ts";
import { create, preserve } from "../calls.ts";
import { answers, type Case, equal, good, ok, pattern, type RebootCase, type World } from "../world.ts";

/** Sends a session's fd through a socket. `receive` receives it; `drop` closes the socket with the fd in it. */
function send(world: World, session: number): { receive: () => number; drop: () => void } {
  const pair = world.sys.socketpair();
  ok(typeof pair !== "number");
  const [a, b] = pair;
  world.keep(a);
  world.keep(b);
  answers(world.sys.sendmsg(a, new Uint8Array([1]), [session]), 1);
  return {
    receive() {
      const received = world.sys.recvmsg(b, new Uint8Array(1), 1);
      ok(typeof received !== "number");
      equal(received.fds.length, 1);
      return world.keep(received.fds[0] ?? -1);
    },
    drop() {
      world.close(a);
      world.close(b);
    },
  };
}

/** A session `name` that another process has made and is the only holder of. */
function elsewhere(world: World, name: string) {
  world.closeDevice();
  const other = world.spawn();
  const device = good(other.sys.open(LIVEUPDATE_DEVICE, O_RDWR | O_CLOEXEC), "open device there");
  const session = good(create(other.sys, device, name), "create there");
  const memfd = good(other.sys.memfd_create("theirs", 0), "memfd_create there");
  good(other.sys.pwrite(memfd, pattern(3000), 0n), "pwrite there");
  answers(preserve(other.sys, session, memfd, 1n), 0);
  other.sys.close(device);
  return { other, session, memfd };
}

function take(world: World, pid: number, fd: number): number {
  const pidfd = world.keep(world.sys.pidfd_open(pid, 0), "pidfd_open");
  return world.keep(world.sys.pidfd_getfd(pidfd, fd, 0), "pidfd_getfd");
}

export const holderCases: readonly Case[] = [
  {
    name: "a session lives until its last dup is closed",
    run(world) {
      const session = world.create("dup");
      const memfd = world.memfd(10);
      world.preserve(session, memfd, 1n);
      const dup = world.keep(world.sys.dup(session));
      world.close(session);
      answers(world.tryCreate("dup"), "EEXIST");
      answers(preserve(world.sys, dup, world.memfd(), 1n), "EEXIST");
      answers(world.sys.ftruncate(memfd, 0n), "EPERM");
      world.close(dup);
      answers(world.sys.ftruncate(memfd, 0n), 0);
      world.create("dup");
    },
  },
  {
    name: "a preserved file may be closed: the session keeps it",
    run(world) {
      const session = world.create("keeps");
      const memfd = world.memfd(pattern(10));
      const again = world.keep(world.sys.open(`/proc/self/fd/${memfd}`, O_RDWR));
      world.preserve(session, memfd, 1n);
      world.close(memfd);
      answers(world.sys.ftruncate(again, 0n), "EPERM");
      answers(preserve(world.sys, session, again, 2n), "EBUSY");
    },
  },
  {
    name: "a session in flight in a socket lives on, and is the same when it is received",
    run(world) {
      const session = world.create("in flight");
      world.preserve(session, world.memfd(), 1n);
      const { receive } = send(world, session);
      world.close(session);
      answers(world.tryCreate("in flight"), "EEXIST");
      answers(preserve(world.sys, receive(), world.memfd(), 1n), "EEXIST");
    },
  },
  {
    name: "a session in flight ends with the socket",
    run(world) {
      const session = world.create("lost in flight");
      const { drop } = send(world, session);
      world.close(session);
      drop();
      world.create("lost in flight");
    },
  },
  {
    name: "the death of a session's only holder ends it",
    async run(world) {
      const { other } = elsewhere(world, "crash");
      answers(world.tryCreate("crash"), "EEXIST");
      await other.kill();
      world.create("crash");
    },
  },
  {
    name: "the death of the holder thaws its files",
    async run(world) {
      const { other, memfd } = elsewhere(world, "crash thaws");
      const file = take(world, other.pid, memfd);
      answers(world.sys.ftruncate(file, 0n), "EPERM");
      await other.kill();
      world.holds(file, pattern(3000));
      answers(world.sys.ftruncate(file, 0n), 0);
    },
  },
  {
    name: "a copy taken with pidfd_getfd outlives the death of the other holder",
    async run(world) {
      const { other, session } = elsewhere(world, "copied");
      const copy = take(world, other.pid, session);
      await other.kill();
      answers(world.tryCreate("copied"), "EEXIST");
      answers(preserve(world.sys, copy, world.memfd(), 1n), "EEXIST");
      world.close(copy);
      world.create("copied");
    },
  },
  {
    name: "another process preserves its own files into a session it was given",
    async run(world) {
      const session = world.create("shared");
      const other = world.spawn();
      const pidfd = good(other.sys.pidfd_open(world.sys.getpid(), 0), "pidfd_open there");
      const theirs = good(other.sys.pidfd_getfd(pidfd, session, 0), "pidfd_getfd there");
      const memfd = good(other.sys.memfd_create("theirs", 0), "memfd_create there");
      answers(preserve(other.sys, theirs, memfd, 1n), 0);
      answers(preserve(world.sys, session, world.memfd(), 1n), "EEXIST");
      await other.kill();
      answers(preserve(world.sys, session, world.memfd(), 1n), "EEXIST");
    },
  },
];

export const holderRebootCases: readonly RebootCase[] = [
  {
    name: "a session that is only in flight in a socket is handed over",
    before(world) {
      const session = world.create("flies over");
      world.preserve(session, world.memfd(pattern(100)), 1n);
      send(world, session);
      world.close(session);
    },
    after(world) {
      world.holds(world.restore(world.retrieve("flies over"), 1n), pattern(100));
    },
  },
  {
    name: "a session held by another process is handed over, one whose holder died is not",
    async before(world) {
      elsewhere(world, "held elsewhere");
      const { other } = elsewhere(world, "holder died");
      await other.kill();
    },
    after(world) {
      world.holds(world.restore(world.retrieve("held elsewhere"), 1n), pattern(3000));
      answers(world.tryRetrieve("holder died"), "ENOENT");
    },
  },
  {
    name: "the death of a retrieved session's only holder is a FINISH",
    before(world) {
      world.preserve(world.create("retriever dies"), world.memfd(pattern(100)), 1n);
    },
    async after(world) {
      const other = world.spawn();
      const device = good(other.sys.open(LIVEUPDATE_DEVICE, O_RDWR | O_CLOEXEC), "open device there");
      const argument = new Uint8Array(72);
      new DataView(argument.buffer).setUint32(0, 72, true);
      argument.set(new TextEncoder().encode("retriever dies"), 8);
      answers(other.sys.ioctl(device, 0xba01, argument), 0);
      await other.kill();
      answers(world.tryRetrieve("retriever dies"), "ENOENT");
    },
  },
];
