"""A container without an engine: one service of compose.yaml as the kernel would run it, on this machine's own parts.

The process has a network of its own, the image's environment, the user 10001 without any capability, a disk that is
read only but for /tmp and /var/lib/huiying, and exactly the secrets and folders that the service names. What stands
in for the image is this installation, at its own place. Linux and root (support/networks.py says so otherwise).
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from support.networks import Host
from support.processes import Process

ROOT = Path(__file__).parents[2]
CONTAINER = ROOT / "deploy" / "container"
NOBODY = 10001
SYSTEM = ("usr", "bin", "sbin", "lib", "lib64", "etc")
MADE = """
set -e
mount -t tmpfs -o mode=755 box "$R"
for name in $SYSTEM; do
    if [ -L "/$name" ]; then cp -P "/$name" "$R/$name"
    elif [ -d "/$name" ]; then mkdir "$R/$name"; mount --bind "/$name" "$R/$name"; mount -o remount,bind,ro "$R/$name"
    fi
done
mkdir -p "$R/dev" "$R/proc" "$R/tmp" "$R/run/secrets" "$R/site" "$R/var/lib/huiying" "$R/backup"
mount --rbind /dev "$R/dev"; mount -t proc proc "$R/proc"; mount -t tmpfs -o mode=1777 tmp "$R/tmp"
mount --bind "$HOSTS" "$R/etc/hosts"; mount -o remount,bind,ro "$R/etc/hosts"
"""


def compose() -> dict[str, Any]:
    found = YAML(typ="safe").load((CONTAINER / "compose.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def image_environ() -> dict[str, str]:
    """The ENV of the Containerfile."""
    text = (CONTAINER / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    last = [line for line in text.splitlines() if line.startswith("ENV ")][-1]
    return dict(re.findall(r"(\w+)=(\S+)", last))


def health_check() -> list[str]:
    """The image's own HEALTHCHECK, as a command line."""
    text = (CONTAINER / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    found = re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", text, re.M)
    assert found, "the image has no HEALTHCHECK"
    words = YAML(typ="safe").load(found[1])
    return [sys.executable, *words[1:]]


@dataclass
class Folders:
    """What of this machine stands in for the compose file's: its directory, and its named volumes."""

    here: Path
    hosts: Mapping[str, str] = field(default_factory=dict)

    def of(self, source: str) -> Path:
        return self.here / source.removeprefix("./")

    def hosts_file(self) -> Path:
        path = self.here / "hosts"
        known = "".join(f"{address} {name}\n" for name, address in self.hosts.items())
        path.write_text(f"127.0.0.1 localhost\n{known}", encoding="utf-8")
        return path


class Box(Process):
    """One service of compose.yaml at work on `host`; `more` is the operator's own environment."""

    def __init__(self, service: Mapping[str, Any], host: Host, folders: Folders, **more: str) -> None:
        self.host, self.folders, self.service = host, folders, service
        said = {name: str(value) for name, value in service["environment"].items()}
        self.environ = {
            **image_environ(),
            **said,
            **more,
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        }
        self.root = folders.here / f"root-{host.name}"
        self.root.mkdir(exist_ok=True)
        super().__init__(
            [*host.inside, "unshare", "--mount", "sh", "-c", self._script()],
            folders.here / f"{host.name}.log",
        )

    def start(self) -> None:
        around = {"R": str(self.root), "SYSTEM": " ".join(SYSTEM), "HOSTS": str(self.folders.hosts_file())}
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.line, env={**os.environ, **around}, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip

    def ask_to_stop(self) -> int:
        """As an engine does: SIGTERM; the exit code."""
        return self._end(signal.SIGTERM)

    def healthy(self) -> bool:
        """What the image's own check says."""
        line = [*self.host.inside, *health_check()]
        door = {"HUIYING_HEALTH": self.environ["HUIYING_HEALTH"], "PATH": os.environ["PATH"]}
        return subprocess.run(line, env=door, check=False, capture_output=True, timeout=30).returncode == 0

    def _script(self) -> str:
        binds = [*self._program(), *self._volumes(), *self._secrets()]
        return MADE + "".join(_bind(*one) for one in binds) + _become(self.environ, self._words())

    def _words(self) -> list[str]:
        entry = self.service.get("entrypoint", ["huiying"])
        return [word.replace("$$", "$") for word in (*entry, *self.service["command"])]

    def _program(self) -> list[tuple[Path, str, bool]]:
        """The installation, which the image holds under /opt/huiying."""
        places = {Path(sys.base_prefix), Path(sys.prefix), ROOT}
        outer = {one for one in places if not any(other != one and other in one.parents for other in places)}
        return [(one, str(one), False) for one in sorted(outer) if Path("/usr") not in (one, *one.parents)]

    def _volumes(self) -> list[tuple[Path, str, bool]]:
        split = [volume.split(":") for volume in self.service["volumes"]]
        return [(self.folders.of(source), to, "ro" not in how) for source, to, *how in split]

    def _secrets(self) -> list[tuple[Path, str, bool]]:
        return [
            (self.folders.of(f"secrets/{name}"), f"/run/secrets/{name}", False)
            for name in self.service["secrets"]
        ]


def _bind(source: Path, to: str, writable: bool) -> str:
    at, inside = shlex.quote(str(source)), f'"$R"{shlex.quote(to)}'
    made = f"mkdir -p {inside}" if source.is_dir() else f"touch {inside}"
    fixed = "" if writable else f"mount -o remount,bind,ro {inside}\n"
    return f"{made}\nmount --bind {at} {inside}\n{fixed}"


def _become(environ: Mapping[str, str], words: Sequence[str]) -> str:
    """The disk is closed, and root is gone for good."""
    who = [
        "--reuid",
        str(NOBODY),
        "--regid",
        str(NOBODY),
        "--clear-groups",
        "--no-new-privs",
        "--bounding-set=-all",
    ]
    values = [f"{name}={value}" for name, value in environ.items()]
    line = shlex.join(
        ["setpriv", *who, "--inh-caps=-all", "env", "-i", "-C", "/var/lib/huiying", *values, *words]
    )
    return f'mount -o remount,ro "$R"\nexec chroot "$R" {line}\n'


def give(folder: Path) -> None:
    """The folder and all in it belong to the container's user, as a volume does."""
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, NOBODY, NOBODY)
