#!/usr/bin/env python3
"""A service hands its memory over a live update with the Python package asyncvarlink (Debian: python3-asyncvarlink).

    python_asyncvarlink.py SOCKET save|restore

The methods that it calls are declared as Python functions; a FileDescriptor goes with the message.
"""
import asyncio
import os
import sys
import typing

from asyncvarlink import (
    FileDescriptor,
    VarlinkClientProtocol,
    VarlinkErrorReply,
    VarlinkInterface,
    connect_unix_varlink,
    varlinkmethod,
)

SESSION, TOKEN = "asyncvarlink", "1"
STATE = b"the state of a service with python3-asyncvarlink"


class Restored(typing.TypedDict):
    """The answer to RestoreFile."""

    file: typing.Any
    fileFd: FileDescriptor


class Agent(VarlinkInterface, name="io.luo.Agent"):
    """The methods that this service calls. The package refuses an answer with a key that is not declared."""

    @varlinkmethod(return_parameter="session", allow_foreign=True)
    def CreateSession(self, *, name: str) -> typing.Any: ...

    @varlinkmethod(return_parameter="session", allow_foreign=True)
    def RetrieveSession(self, *, name: str) -> typing.Any: ...

    @varlinkmethod(return_parameter="session", allow_foreign=True)
    def FinishSession(self, *, name: str) -> typing.Any: ...

    @varlinkmethod(return_parameter="file", allow_foreign=True)
    def PreserveFile(self, *, session: str, token: str, fileFd: FileDescriptor) -> typing.Any: ...

    @varlinkmethod(allow_foreign=True)
    def RestoreFile(self, *, session: str, token: str, mark: bool) -> Restored: ...

    @varlinkmethod(return_parameter="file", allow_foreign=True)
    def MarkFile(self, *, session: str, token: str, restored: bool) -> typing.Any: ...


async def save(agent):
    memfd = os.memfd_create("state")
    os.write(memfd, STATE)
    await agent.CreateSession(name=SESSION)
    await agent.PreserveFile(session=SESSION, token=TOKEN, fileFd=FileDescriptor(memfd))


async def restore(agent):
    try:
        await agent.RetrieveSession(name="no-such-session")
        raise AssertionError("a session that is not there was retrieved")
    except VarlinkErrorReply as error:
        assert error.name == "io.luo.Agent.NoSuchSession", error
    await agent.RetrieveSession(name=SESSION)
    with await agent.RestoreFile(session=SESSION, token=TOKEN, mark=False) as answer:
        state = os.pread(answer["fileFd"].fileno(), 4096, 0)
    if state != STATE:
        raise ValueError(f"the state is wrong: {state!r}")
    await agent.MarkFile(session=SESSION, token=TOKEN, restored=True)
    await agent.FinishSession(name=SESSION)
    print("python3-asyncvarlink:", state.decode())


async def main(path, verb):
    transport, protocol = await connect_unix_varlink(VarlinkClientProtocol, path)
    try:
        await {"save": save, "restore": restore}[verb](protocol.make_proxy(Agent))
    finally:
        transport.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
