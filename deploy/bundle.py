#!/usr/bin/env python3
"""One file for a machine without a network: the program, its packages, and how to install them.

    python3 deploy/bundle.py huiying-offline.tar        on a machine with a network, same system and Python
    tar xf huiying-offline.tar && sh huiying/install.sh on the other one

Standard library only. What is taken is what is committed.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INSTALL = """#!/bin/sh
# Needs python3 (3.11 or newer) with python3-venv, and no network.
set -eu
cd "$(dirname "$0")"
export PIP_NO_INDEX=1 PIP_FIND_LINKS="$PWD/wheels" UV_NO_INDEX=1 UV_FIND_LINKS="$PWD/wheels"
exec python3 deploy/bootstrap.py install
"""


def main(argv: list[str]) -> None:
    if len(argv) != 1:
        raise SystemExit("usage: python3 deploy/bundle.py OUT.tar")
    out = Path(argv[0]).resolve()
    if out.exists():
        raise SystemExit(f"{out} is there already; name another file")
    with tempfile.TemporaryDirectory() as folder:
        source, wheels = Path(folder) / "source.tar", Path(folder) / "wheels"
        _run(
            "git", "-C", str(ROOT), "archive", "--format=tar", "--prefix=huiying/", "-o", str(source), "HEAD"
        )
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes")
        _run(*pip, "-r", str(ROOT / "requirements.lock"), "-d", str(wheels))
        with tarfile.open(source, "a") as tar:
            tar.add(wheels, arcname="huiying/wheels")
            _add(tar, "huiying/install.sh", INSTALL)
        source.replace(out) if source.stat().st_dev == out.parent.stat().st_dev else _copy(source, out)


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} did not succeed (see above); nothing was written")


def _add(tar: tarfile.TarFile, name: str, text: str) -> None:
    told = tarfile.TarInfo(name)
    told.size, told.mode = len(text.encode()), 0o755
    tar.addfile(told, io.BytesIO(text.encode()))


def _copy(source: Path, out: Path) -> None:
    with source.open("rb") as read, out.open("wb") as write:
        while part := read.read(1 << 20):
            write.write(part)


if __name__ == "__main__":
    main(sys.argv[1:])
