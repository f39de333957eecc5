#!/usr/bin/python3
"""Fills a memcached with keys, or looks whether every one of them is there with its value.

    keys.py fill | check COUNT PORT
"""
import hashlib
import socket
import sys
import time


def value(number):
    """A hundred bytes or so that only this key has."""
    return hashlib.sha256(str(number).encode()).hexdigest().encode() * (1 + number % 3)


def fill(memcached, count):
    for first in range(0, count, 1000):
        numbers = range(first, min(first + 1000, count))
        commands = [b"set key:%d 0 0 %d noreply\r\n%s\r\n" % (n, len(value(n)), value(n)) for n in numbers]
        memcached.write(b"".join(commands))
    memcached.write(b"version\r\n")
    memcached.flush()
    memcached.readline()
    print(f"{count} keys were stored")


def check(memcached, count):
    right = 0
    for first in range(0, count, 100):
        numbers = range(first, min(first + 100, count))
        memcached.write(b"get " + b" ".join(b"key:%d" % n for n in numbers) + b"\r\n")
        memcached.flush()
        while (line := memcached.readline()) != b"END\r\n":
            _value, key, _flags, size = line.split()
            found = memcached.read(int(size) + 2)[:-2]
            right += found == value(int(key.removeprefix(b"key:")))
    print(f"{right} of {count} keys are there, each with its value")
    return right == count


def connect(port):
    """A memcached that was just started needs a moment until it listens."""
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit(f"Cannot connect to port {port}: no memcached listens there")


if __name__ == "__main__":
    _, verb, count, port = sys.argv
    with connect(int(port)) as connection, connection.makefile("rwb") as memcached:
        if {"fill": fill, "check": check}[verb](memcached, int(count)) is False:
            sys.exit(1)
