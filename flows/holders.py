"""Who holds a lease: a process of a machine, named `host:pid:birth`.

A lease ends by itself. After a crash on this very machine nobody needs to wait for that: whoever
starts next asks the operating system whether the holder still lives.
"""

from __future__ import annotations

import os
import socket
import time

from flows.wiring import House
from models.ledger import duties, outbox

ME = f"{socket.gethostname()}:{os.getpid()}:{time.time_ns()}"


def is_dead(holder: str) -> bool:
    """True only for a holder of this machine that is certainly gone; never for another machine's."""
    host, _, rest = holder.partition(":")
    number = rest.partition(":")[0]
    if host != socket.gethostname() or not number.isdigit() or holder == ME:
        return False
    return int(number) == os.getpid() or not _alive(int(number))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def bury(house: House) -> int:
    """Free what dead processes of this machine held; how many leases that was."""
    with house.store.write() as conn:
        held = outbox.holders(conn) | {row.leased_by for row in duties.all_duties(conn) if row.leased_by}
        dead = [holder for holder in held if is_dead(holder)]
        return outbox.release(conn, dead) + duties.release(conn, dead) if dead else 0
