/**
 * A service in Node hands its memory over a live update: it speaks Varlink to luo's agent, with node:net alone.
 *
 *     node client.mjs SOCKET save      the old process: preserves a file without a name on tmpfs
 *     node client.mjs SOCKET restore   the new process, in the next kernel: takes the file back
 *
 * Node has no memfds, and cannot send or receive file descriptors. A file on tmpfs that has no name any more is the
 * same to the kernel; the agent takes it by process and number, and gives it back by a path.
 */
import fs from "node:fs";
import net from "node:net";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

const [SESSION, TOKEN] = ["node", "1"];
const STATE = "the state of a service in Node";

/** Connects. After a kexec the agent of the next kernel needs a moment. */
async function connect(path, patience_ms = 30_000) {
  const deadline = Date.now() + patience_ms;
  for (;;) {
    const socket = net.connect(path);
    try {
      await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
      return socket;
    } catch (error) {
      if (!["ENOENT", "ECONNREFUSED"].includes(error.code) || Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

/** Calls a method of io.luo.Agent, and resolves to the parameters of the answer. One call at a time. */
function call(socket, method, parameters) {
  socket.write(JSON.stringify({ method: `io.luo.Agent.${method}`, parameters }) + "\0");
  return new Promise((resolve, reject) => {
    const pieces = [];
    const finish = (settle, value) => {
      socket.removeAllListeners("data").removeAllListeners("close").removeAllListeners("error");
      settle(value);
    };
    socket.on("error", (error) => finish(reject, error));
    socket.on("close", () => finish(reject, new Error("the agent ended the connection")));
    socket.on("data", (piece) => {
      pieces.push(piece);
      if (piece[piece.length - 1] !== 0) return;
      const { parameters, error } = JSON.parse(Buffer.concat(pieces).subarray(0, -1).toString());
      if (error === undefined) finish(resolve, parameters);
      else finish(reject, new Error(`${error} ${JSON.stringify(parameters)}`));
    });
  });
}

async function save(socket) {
  const name = `/dev/shm/state-${process.pid}`;
  const descriptor = fs.openSync(name, "wx+", 0o600);
  fs.unlinkSync(name);
  fs.writeSync(descriptor, STATE);
  await call(socket, "CreateSession", { name: SESSION });
  const file = { session: SESSION, token: TOKEN, label: "state" };
  await call(socket, "PreserveFile", { ...file, pid: process.pid, descriptor });
}

async function restore(socket) {
  await call(socket, "RetrieveSession", { name: SESSION });
  const file = { session: SESSION, token: TOKEN };
  // The file counts as restored when its contents are safe, so not yet. The path is good until the connection ends.
  const { path } = await call(socket, "RestoreFile", { ...file, mark: false, path: true });
  const descriptor = fs.openSync(path, "r+");
  const state = fs.readFileSync(descriptor, "utf8");
  if (state !== STATE) throw new Error(`the state is wrong: ${JSON.stringify(state)}`);
  await call(socket, "MarkFile", { ...file, restored: true });
  await call(socket, "FinishSession", { name: SESSION });
  console.log("Node:", state);
}

const [, , path, verb] = process.argv;
const socket = await connect(path);
await { save, restore }[verb](socket);
socket.end();
