"""A nursery of workers: started once, it forks a fresh worker whenever it is told to.

Every worker is a process of its own that opens the site's house as `huiying worker respond deliver`
does and then runs the clock loop until it is killed. The fork only spares the second that imports
take, so that a campaign of a thousand kills ends within the hour. `flows` is read after the fork: a
worker names itself there by its own process number.

Lines in: `start` and the folder of a site, or `kill`, `stop`, `cont` and a pid. Lines out: the pid of the
worker that now runs it; of a killed one when it is gone. With a folder as its argument it is itself the
one worker of that site: not everything survives a fork (libfaketime does not).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path

BEFORE = (
    "alembic.command",
    "psycopg",
    "connectors.broker",
    "connectors.channels",
    "connectors.feeds",
    "connectors.tickets",
    "connectors.watch",
    "models.ledger.views",
    "playbooks.site",
)
"""What is heavy and the same for every worker."""
DUTIES = ("respond", "deliver")
SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP, "cont": signal.SIGCONT}


def work(site: Path) -> None:
    """Live until killed."""
    with (site / "workers.log").open("ab", buffering=0) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    common, loop, wiring = map(
        import_module, ("flows.commands.common", "flows.processes.loop", "flows.wiring")
    )
    common.quiet_logs()
    loop.ClockLoop(wiring.House.open(site), DUTIES).start()
    threading.Event().wait()


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are not kept
    for name in BEFORE:
        import_module(name)
    for line in sys.stdin:
        what, _, whom = line.strip().partition(" ")
        pid = start(Path(whom)) if what == "start" else send(what, int(whom))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def start(site: Path) -> int:
    pid = os.fork()
    if pid == 0:
        os.close(0)
        os.setsid()
        try:
            work(site)
        except BaseException:  # noqa: BLE001  told in its log, then gone
            traceback.print_exc()
        finally:
            os._exit(1)
    return pid


def send(what: str, pid: int) -> int:
    """SIGKILL, and wait until it is gone; or SIGSTOP; or SIGCONT."""
    with suppress(ProcessLookupError):
        os.kill(pid, SIGNALS[what])
        while what == "kill":
            os.kill(pid, 0)
            time.sleep(0.001)
    return pid


if __name__ == "__main__":
    work(Path(sys.argv[1])) if len(sys.argv) > 1 else main()
