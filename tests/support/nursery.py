"""A nursery of workers: started once, it forks a fresh worker whenever it is told to.

Every worker is a process of its own that opens the site's house as `huiying worker respond deliver`
does and then runs the clock loop until it is killed. The fork only spares the second that imports
take, so that a campaign of a thousand kills ends within the hour. `flows` is read after the fork: a
worker names itself there by its own process number.

Lines in: the folder of a site. Lines out: the pid of the worker that now runs it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
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


def work(site: Path) -> None:
    """In the child: live until killed."""
    os.setsid()
    with (site / "workers.log").open("ab", buffering=0) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    common, loop, wiring = map(import_module, ("flows.commands.common", "flows.loop", "flows.wiring"))
    common.quiet_logs()
    loop.ClockLoop(wiring.House.open(site), DUTIES).start()
    threading.Event().wait()


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are not kept
    for name in BEFORE:
        import_module(name)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.close(0)
            try:
                work(Path(line.strip()))
            finally:
                os._exit(1)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
