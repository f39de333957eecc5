"""A client of luo-agent's protocol, as its README has it: it knows nothing of luo. Under luo emulate, or on a real kernel.

client.py SOCKET ID subscribe MARK: subscribes, preserves a memfd that says MARK when it is asked to, and waits for the end.
client.py SOCKET ID claim: claims the session, restores the memfd, finishes the session and prints what the memfd says.
"""
import array
import fcntl
import json
import os
import socket
import struct
import sys
import time

PRESERVE_FD, RETRIEVE_FD, FINISH = 0xBA40, 0xBA41, 0xBA42


def connect(path):
    for _ in range(3000):
        try:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.connect(path)
            return sock
        except OSError:
            sock.close()
            time.sleep(0.1)
    sys.exit("nobody listens at " + path)


def say(sock, **words):
    sock.sendall(json.dumps(words).encode() + b"\n")


def hear(sock):
    data, ancillary, _, _ = sock.recvmsg(4096, socket.CMSG_SPACE(4))
    fds = array.array("i")
    for _, _, payload in ancillary:
        fds.frombytes(payload[:4])
    return data, list(fds)


path, name, what = sys.argv[1:4]
sock = connect(path)
if what == "subscribe":
    say(sock, cmd="SUBSCRIBE", id=name)
    print("subscribed", flush=True)
    data, fds = hear(sock)
    if json.loads(data) != {"event": "START_PRESERVATION"} or len(fds) != 1:
        sys.exit("unexpected: %r" % data)
    memory = os.memfd_create("client", 2 | 16)
    os.write(memory, sys.argv[4].encode())
    fcntl.ioctl(fds[0], PRESERVE_FD, struct.pack("=IiQ", 16, memory, 5))
    say(sock, cmd="READY")
    print("ready", flush=True)
    data, _ = hear(sock)
    print("ended" if data == b"" else "unexpected: %r" % data, flush=True)
else:
    for _ in range(3000):
        say(sock, cmd="CLAIM", id=name)
        data, fds = hear(sock)
        if fds:
            break
        time.sleep(0.1)
    argument = bytearray(struct.pack("=IiQ", 16, -1, 5))
    fcntl.ioctl(fds[0], RETRIEVE_FD, argument)
    memory = struct.unpack("=IiQ", bytes(argument))[1]
    print(os.pread(memory, 100, 0).decode(), flush=True)
    fcntl.ioctl(fds[0], FINISH, struct.pack("=II", 8, 0))
