"""Who may bury whom: a lease is taken back only from a process that is provably dead."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from flows.holders import MARK, ME, is_dead
from support.missing import missing
from support.processes import environ

NAMES_ITSELF = "import sys; from flows.holders import ME; print(ME, flush=True); sys.stdin.read()"


@pytest.fixture(autouse=True)
def marks() -> None:
    if not MARK:
        missing("this system tells no boot and no name space, so nobody is ever buried")


@pytest.fixture
def other() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A living process of ours and the name it holds leases under."""
    line = [sys.executable, "-c", NAMES_ITSELF]
    with subprocess.Popen(line, env=environ(), stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout
        yield process, process.stdout.readline().strip()
        process.kill()


def renamed(holder: str, **parts: str) -> str:
    """The same holder with another host, number, birth or mark."""
    names = ("host", "number", "birth", "mark")
    return ":".join(parts.get(name, part) for name, part in zip(names, holder.split(":", 3), strict=True))


def test_a_living_process_is_not_buried_and_a_killed_one_is(
    other: tuple[subprocess.Popen[str], str],
) -> None:
    process, name = other
    assert not is_dead(name)
    assert not is_dead(ME)
    process.kill()
    process.wait()
    assert is_dead(name)


def test_a_process_that_got_a_dead_ones_number_does_not_keep_its_leases() -> None:
    assert is_dead(renamed(ME, birth="1"))


def test_the_same_host_name_and_a_free_number_prove_nothing_about_another_boot_or_container() -> None:
    gone = renamed(ME, number=str(2**22 + 1))
    assert is_dead(gone)
    assert not is_dead(renamed(gone, mark="another-boot/" + MARK.partition("/")[2]))
    assert not is_dead(renamed(gone, mark=MARK.partition("/")[0] + "/pid:[1]"))


@pytest.mark.parametrize("old", ["", "host", "host:1:1", "host:x:1:" + MARK, "host:4194305::" + MARK])
def test_a_name_that_is_not_understood_is_left_to_its_lease(old: str) -> None:
    assert not is_dead(old)


def test_a_container_that_shares_our_host_name_is_not_buried() -> None:
    """A real process name space, whose first numbers are ours too."""
    inside = [sys.executable, "-c", NAMES_ITSELF]
    line = ["unshare", "--pid", "--fork", "--mount-proc", *inside]
    if os.geteuid() != 0 or subprocess.run(["unshare", "--pid", "--fork", "true"], check=False).returncode:
        pytest.skip("process name spaces can only be made by root")  # a right, and no part, is missing
    with subprocess.Popen(line, env=environ(), stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout
        name = process.stdout.readline().strip()
        assert name.split(":")[0] == ME.split(":")[0]
        assert not is_dead(name)
        process.communicate()
    assert not is_dead(name)
