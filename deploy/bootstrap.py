#!/usr/bin/env python3
"""Make `.venv`, install the hashed lock, and run a command in it. Standard library only.

    python3 deploy/bootstrap.py run          the demonstration site, board included
    python3 deploy/bootstrap.py test …       pytest with these arguments
    python3 deploy/bootstrap.py exec CMD …   any command inside the environment

Packages come from whatever index pip or uv is set up with; the lock names none.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
OLDEST = (3, 11)


def say(text: str) -> None:
    sys.stderr.write(f"bootstrap: {text}\n")


def refuse(text: str) -> None:
    say(text)
    raise SystemExit(1)


def check_machine() -> None:
    if sys.version_info < OLDEST:
        refuse(
            f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed, this is "
            f"{sys.version.split()[0]}; mend it with: sudo apt-get install python3.11 python3.11-venv"
        )
    if shutil.which("make") is None:
        say("make is missing (this script works without it); mend it with: sudo apt-get install make")


def make_venv() -> None:
    if (BIN / "python").exists():
        return
    uv = shutil.which("uv")
    if uv:
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(VENV)], check=True)
        return
    try:
        import ensurepip  # noqa: F401  (Debian ships it in python3-venv)
    except ImportError:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        refuse(
            "python3-venv is missing; mend it with: "
            f"sudo apt-get install python{version}-venv   (or python3-venv)"
        )
    import venv

    venv.EnvBuilder(with_pip=True).create(VENV)


def install(lock: Path) -> None:
    """Install `lock` unless this very lock is in already (a stamp keeps its SHA-256)."""
    stamp = VENV / f".installed-{lock.stem}"
    seal = hashlib.sha256(lock.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == seal:
        return
    say(f"installing {lock.name} into .venv (once; later starts skip this)")
    uv = shutil.which("uv")
    python = str(BIN / "python")
    pip = (
        [uv, "pip", "install", "--quiet", "--python", python]
        if uv
        else [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    )
    for rest in (
        ["--no-deps", "--require-hashes", "-r", str(lock)],  # the lock is whole: nothing is to be resolved
        ["--no-deps", "--no-build-isolation", "-e", str(ROOT)],
    ):
        if subprocess.run([*pip, *rest], cwd=ROOT, check=False).returncode:
            refuse(
                "the packages could not be installed (see above). Without a network, point pip at "
                "a folder of wheels: PIP_NO_INDEX=1 PIP_FIND_LINKS=/path/to/wheels make run"
            )
    stamp.write_text(seal)


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "VIRTUAL_ENV": str(VENV),
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONUTF8": "1",
    }


def main(argv: list[str]) -> None:
    what, rest = (argv[0], argv[1:]) if argv else ("run", [])
    commands = {
        "run": ("requirements.lock", ["huiying", "run", "--demo", *rest]),
        "test": ("requirements-dev.lock", ["pytest", *rest]),
        "exec": ("requirements-dev.lock", rest),
        "install": ("requirements.lock", []),
    }
    if what not in commands:
        refuse(f"no command {what!r}; there are: {', '.join(commands)}")
    lock, command = commands[what]
    check_machine()
    make_venv()
    install(ROOT / lock)
    if command:
        os.chdir(ROOT)
        env = environment()
        program = shutil.which(command[0], path=env["PATH"])
        if program is None:
            refuse(f"{command[0]} is not in .venv; remove .venv and try again")
        os.execve(program, [program, *command[1:]], env)


if __name__ == "__main__":
    main(sys.argv[1:])
