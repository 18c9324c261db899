"""Machines on one line, as the kernel sees them: network namespaces on a bridge, with addresses of their own, whose
line can be cut and mended.

`with two_machines() as lan: Machine(site, "one", inside=lan.one.inside); lan.one.cut(); lan.one.mend()`; any number
of them by name: `with line("console", "clock") as lan: lan.hosts["clock"]`. Servers of the test itself (database,
broker, receiver) listen on `lan.address`. Linux and root; elsewhere the test is skipped.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache

import pytest

from support.missing import missing


@cache
def can_part() -> bool:
    """May this user make networks?"""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"hy-probe-{os.getpid()}"
    made = _ip("netns", "add", name)
    _ip("netns", "del", name)
    return made


@dataclass(frozen=True, slots=True)
class Host:
    """One of them. `inside` goes before a command line that is to run there."""

    name: str
    address: str
    port: str
    """The bridge's end of its line."""

    @property
    def inside(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)

    def cut(self) -> None:
        """From now on nothing passes, and nobody is told: packets are lost, connections stay as they were."""
        assert _ip("link", "set", self.port, "down")

    def mend(self) -> None:
        assert _ip("link", "set", self.port, "up")


@dataclass(frozen=True, slots=True)
class Network:
    """`address` is this machine's own on the line: the others reach the test's servers there."""

    address: str
    hosts: Mapping[str, Host]

    @property
    def one(self) -> Host:
        return self.hosts["one"]

    @property
    def two(self) -> Host:
        return self.hosts["two"]


def two_machines() -> AbstractContextManager[Network]:
    return line("one", "two")


@contextmanager
def line(*names: str) -> Iterator[Network]:
    """Make the line and a machine for each name; all is taken away at the end."""
    if shutil.which("ip") is None:
        missing("no ip on PATH: apt-get install iproute2")
    if not can_part():  # a right that CI's user may lack: no part is missing
        pytest.skip("network namespaces cannot be made here: this needs Linux and root")
    mark = f"{os.getpid() % 100_000:05d}{random.randrange(1000):03d}"
    net = f"10.{random.randrange(100, 250)}.{random.randrange(250)}"
    bridge = f"hyb{mark}"
    hosts = {
        name: Host(f"hy{mark}-{n}", f"{net}.{n + 1}", f"hy{mark}p{n}") for n, name in enumerate(names, 1)
    }
    try:
        _must("link", "add", bridge, "type", "bridge")
        _must("addr", "add", f"{net}.1/24", "dev", bridge)
        _must("link", "set", bridge, "up")
        for host in hosts.values():
            _join(host, bridge)
        yield Network(f"{net}.1", hosts)
    finally:
        for host in hosts.values():
            _ip("netns", "del", host.name)  # takes its end of the line along
            _ip("link", "del", host.port)
        _ip("link", "del", bridge)


def _join(host: Host, bridge: str) -> None:
    inner = host.port + "i"
    _must("netns", "add", host.name)
    _must("link", "add", host.port, "type", "veth", "peer", "name", inner)
    _must("link", "set", inner, "netns", host.name)
    _must("link", "set", host.port, "master", bridge)
    _must("link", "set", host.port, "up")
    _must("-n", host.name, "addr", "add", f"{host.address}/24", "dev", inner)
    _must("-n", host.name, "link", "set", inner, "up")
    _must("-n", host.name, "link", "set", "lo", "up")


def _ip(*words: str) -> bool:
    return subprocess.run(["ip", *words], check=False, capture_output=True).returncode == 0


def _must(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
