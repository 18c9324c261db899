"""A real PostgreSQL for tests: the machine's own binaries, a cluster in a temporary folder.

`HUIYING_TEST_POSTGRES` (a URL of an existing server whose user may create databases) overrides.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from support.ports import free_port


class Missing(Exception):
    """There is no PostgreSQL here; the words say how to get one."""


def binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    if found:
        return found[0].parent
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    raise Missing("no PostgreSQL server binaries; mend it with: sudo apt-get install postgresql")


def _as_postgres(command: list[str]) -> list[str]:
    """initdb refuses to run as root: then the packaged `postgres` user runs it."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


class Server:
    """A running cluster. `database()` gives the URL of a fresh, empty database."""

    def __init__(self, url: str, data: Path | None = None, bin_dir: Path | None = None) -> None:
        self.url, self.data, self.bin = url, data, bin_dir

    def database(self) -> str:
        name = f"huiying_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute(f'CREATE DATABASE "{name}"')
        return self.url.rsplit("/", 1)[0] + f"/{name}"

    def stop(self, mode: str = "fast") -> None:
        self._pg_ctl("stop", "-m", mode)

    def start(self) -> None:
        self._pg_ctl("start", "-l", str(self.data) + ".log")

    def revive(self) -> None:
        """Start it again after it has gone down by itself; one that is still going down is waited for."""
        self._pg_ctl("stop", "-m", "immediate", check=False)
        self.start()

    def is_up(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def _pg_ctl(self, *what: str, check: bool = True) -> None:
        assert self.data and self.bin, "this server is not ours to stop"
        command = [str(self.bin / "pg_ctl"), "-D", str(self.data), "-w", "-s", *what]
        subprocess.run(_as_postgres(command), check=check, cwd="/", stdout=subprocess.DEVNULL)


@contextmanager
def server(folder: Path | None = None, also: str = "") -> Iterator[Server]:
    """Start a cluster (in `folder`, else in a temporary one), yield it, remove it. Raises Missing
    where there is none to start. `also` is a further address of this machine that it listens on, for
    whoever comes from that network."""
    given = os.environ.get("HUIYING_TEST_POSTGRES")
    if given and folder is None and not also:
        yield Server(given)
        return
    bin_dir, port = binaries(), free_port()
    home = Path(tempfile.mkdtemp(prefix="huiying-pg-", dir=folder))
    data = home / "data"
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")
    home.chmod(0o700)
    init = [
        str(bin_dir / "initdb"),
        "-D",
        str(data),
        "-A",
        "trust",
        "-U",
        "huiying",
        "-E",
        "UTF8",
        "--no-sync",
    ]
    subprocess.run(_as_postgres(init), check=True, cwd="/", stdout=subprocess.DEVNULL)
    options = {
        "port": port,
        "listen_addresses": f"'{','.join(['127.0.0.1', *filter(None, [also])])}'",
        "unix_socket_directories": f"'{home}'",
        "max_connections": 200,
    }
    with (data / "postgresql.conf").open("a") as conf:
        conf.writelines(f"\n{name} = {value}" for name, value in options.items())
    if also:
        with (data / "pg_hba.conf").open("a") as doors:
            doors.write(f"\nhost all all {also}/24 trust\n")
    cluster = Server(f"postgresql://huiying@127.0.0.1:{port}/postgres", data, bin_dir)
    try:
        cluster.start()
        yield cluster
    finally:
        if (data / "postmaster.pid").exists():
            cluster.stop("immediate")
        shutil.rmtree(home, ignore_errors=True)
