"""A loop that outlives whatever happens in it: step by step until told to stop, a fault named and tried again."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from connectors.ports import ConnectorError
from flows.wiring import House
from models.ledger import duties
from models.ledger.store import LedgerError

log = structlog.get_logger()


def follow(
    house: House,
    duty: str,
    step: Callable[[], object],
    stopped: threading.Event,
    *,
    idle_s: float,
    fault_s: float,
    let_go: Callable[[], object] = lambda: None,
) -> None:
    """Step until told to stop. `step` answers whether there may be more at once; `let_go` gives up what it
    holds open, after a fault and at the end. Pauses in seconds."""
    while not stopped.is_set():
        try:
            if not step():
                stopped.wait(idle_s)
        except Exception as error:  # noqa: BLE001  whatever it is, the work goes on
            name_fault(house, duty, error)
            let_go()
            stopped.wait(fault_s)
    let_go()


def name_fault(house: House, duty: str, error: Exception) -> None:
    """In the log, and on the board where the database is there."""
    expected = isinstance(error, ConnectorError | LedgerError)
    log.error("a duty failed and will be tried again", duty=duty, reason=repr(error), exc_info=not expected)
    try:
        with house.store.write() as conn:
            duties.beat(conn, duty, house.time.now(), "", str(error) or repr(error))
    except Exception as gone:  # noqa: BLE001  whoever tells of trouble must live through it
        log.error("and that cannot be noted", duty=duty, reason=repr(gone))
