#!/usr/bin/env python3
"""A service in Python hands its memory over a live update: it speaks Varlink to luo's agent, with the standard library.

    client.py SOCKET save      the old process: preserves a memfd
    client.py SOCKET kexec     executes the loaded kernel
    client.py SOCKET restore   the new process, in the next kernel: takes the memfd back
"""
import json
import os
import socket
import sys
import time

SESSION, TOKEN = "python", "1"
STATE = b"the state of a service in Python"


class AgentError(Exception):
    """An error that the agent answered: its name and its parameters."""


class Agent:
    def __init__(self, path, patience_s=30):
        """Connects. After a kexec the agent of the next kernel needs a moment."""
        deadline = time.monotonic() + patience_s
        while True:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self.socket.connect(path)
                return
            except (FileNotFoundError, ConnectionRefusedError):
                self.socket.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def call(self, method, fds=(), **parameters):
        """Calls a method of io.luo.Agent. The answer: its parameters, and the file descriptors that came with it."""
        message = json.dumps({"method": f"io.luo.Agent.{method}", "parameters": parameters}).encode() + b"\0"
        # The descriptors go with the first byte.
        sent = socket.send_fds(self.socket, [message], fds)
        self.socket.sendall(message[sent:])
        answer, received = b"", []
        while not answer.endswith(b"\0"):
            piece, more, _flags, _address = socket.recv_fds(self.socket, 65536, 8)
            if not piece:
                raise ConnectionError("the agent ended the connection")
            answer += piece
            received += more
        reply = json.loads(answer[:-1])
        if "error" in reply:
            raise AgentError(reply["error"], reply.get("parameters"))
        return reply.get("parameters", {}), received


def save(agent):
    memfd = os.memfd_create("state")
    os.write(memfd, STATE)
    agent.call("CreateSession", name=SESSION)
    agent.call("PreserveFile", session=SESSION, token=TOKEN, fileFd=0, label="state", fds=[memfd])


def kexec(agent):
    try:
        agent.call("ExecImage")
    except ConnectionError:
        return  # Success does not answer: the old kernel is gone.


def restore(agent):
    agent.call("RetrieveSession", name=SESSION)
    # The file counts as restored when its contents are safe, so not yet.
    reply, fds = agent.call("RestoreFile", session=SESSION, token=TOKEN, mark=False)
    memfd = fds[reply["fileFd"]]
    state = os.pread(memfd, reply["file"]["size"], 0)
    if state != STATE:
        raise ValueError(f"the state is wrong: {state!r}")
    agent.call("MarkFile", session=SESSION, token=TOKEN, restored=True)
    agent.call("FinishSession", name=SESSION)
    print("Python:", state.decode())


if __name__ == "__main__":
    _, path, verb = sys.argv
    {"save": save, "kexec": kexec, "restore": restore}[verb](Agent(path))
