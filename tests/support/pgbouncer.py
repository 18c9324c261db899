"""A real PgBouncer before a test's PostgreSQL, giving out its few connections by transactions."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from support.ports import free_port
from support.postgres import Missing
from support.waiting import until


def _binary() -> str:
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Missing("no PgBouncer; mend it with: sudo apt-get install pgbouncer")
    return found


@contextmanager
def pooler(url: str, connections: int) -> Iterator[str]:
    """The address of the same database behind a pooler with so many connections. Raises Missing."""
    binary, port, behind = _binary(), free_port(), urlsplit(url)
    home = Path(tempfile.mkdtemp(prefix="huiying-pgbouncer-"))
    (home / "users.txt").write_text(f'"{behind.username}" ""\n', encoding="utf-8")
    settings = {
        "listen_addr": "127.0.0.1", "listen_port": port, "unix_socket_dir": "", "auth_type": "trust",
        "auth_file": home / "users.txt", "pool_mode": "transaction", "default_pool_size": connections,
        "logfile": home / "log",
    }  # fmt: skip
    told = "".join(f"{name} = {value}\n" for name, value in settings.items())
    database = f"host={behind.hostname} port={behind.port}"
    (home / "ini").write_text(f"[databases]\n* = {database}\n[pgbouncer]\n{told}", encoding="utf-8")
    root = os.geteuid() == 0
    if root:
        for path in (home, *home.iterdir()):
            shutil.chown(path, "postgres")
    run = [*(["runuser", "-u", "postgres", "--"] if root else []), binary, "-q", str(home / "ini")]
    process = subprocess.Popen(run, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"postgresql://{behind.username}@127.0.0.1:{port}{behind.path}"
    try:
        until(lambda: _answers(address), (home / "log").read_text, alive=lambda: process.poll() is None)
        yield address
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(home, ignore_errors=True)


def _answers(address: str) -> bool:
    try:
        with psycopg.connect(address, connect_timeout=2, prepare_threshold=None):
            return True
    except psycopg.OperationalError:
        return False
