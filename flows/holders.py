"""Who holds a lease: a process of a boot and a name space, named `host:pid:birth:mark`.

A lease ends by itself. After a crash on this very machine nobody needs to wait for that: whoever
starts next asks the operating system whether the holder still lives. A host name proves nothing, for
containers and copied machines share them: the mark does (flows/machine.py).
"""

from __future__ import annotations

import os
import socket

from flows import machine
from flows.wiring import House
from models.ledger import duties, outbox

MARK = machine.mark("pid")
ME = f"{socket.gethostname()}:{os.getpid()}:{machine.born(os.getpid())}:{MARK}"


def is_dead(holder: str) -> bool:
    """True only for a holder of this boot and name space that is certainly gone; never for another's."""
    host_number_birth_mark = holder.split(":", 3)
    if len(host_number_birth_mark) != 4 or not MARK:
        return False
    _, number, birth, mark = host_number_birth_mark
    if mark != MARK or not number.isdigit() or not birth:
        return False
    return not _alive(int(number)) or machine.born(int(number)) not in (birth, "")


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
