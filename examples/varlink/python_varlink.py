#!/usr/bin/env python3
"""A service hands its memory over a live update with the Python package varlink (Debian: python3-varlink).

    python_varlink.py SOCKET save|restore

The package reads the agent's description of itself, and cannot send descriptors: the agent takes a copy of ours.
"""
import os
import sys

import varlink

SESSION, TOKEN = "python-varlink", "1"
STATE = b"the state of a service with python3-varlink"


def save(agent):
    memfd = os.memfd_create("state")
    os.write(memfd, STATE)
    agent.CreateSession(name=SESSION)
    agent.PreserveFile(session=SESSION, token=TOKEN, pid=os.getpid(), descriptor=memfd, label="state")


def restore(agent):
    try:
        agent.RetrieveSession(name="no-such-session")
        raise ValueError("a session that is not there was retrieved")
    except varlink.VarlinkError as error:
        assert error.error() == "io.luo.Agent.NoSuchSession" and SESSION in error.parameters()["known"]
    agent.RetrieveSession(name=SESSION)
    # The path is good until the connection ends.
    answer = agent.RestoreFile(session=SESSION, token=TOKEN, mark=False, path=True)
    with open(answer["path"], "rb") as file:
        state = file.read()
    if state != STATE:
        raise ValueError(f"the state is wrong: {state!r}")
    agent.MarkFile(session=SESSION, token=TOKEN, restored=True)
    agent.FinishSession(name=SESSION)
    print("python3-varlink:", state.decode())


if __name__ == "__main__":
    _, path, verb = sys.argv
    with varlink.Client(f"unix:{path}") as client, client.open("io.luo.Agent") as agent:
        {"save": save, "restore": restore}[verb](agent)
