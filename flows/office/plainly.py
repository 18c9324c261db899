"""What the ledger refuses or does not know, as the console and the commands say it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.console.desk import Refusal, Unavailable, Unknown
from connectors.ports import Refused
from models.ledger.books import NoSuchVersion
from models.ledger.handovers import NoSuchHandover
from models.ledger.incidents import NoSuchIncident, NotAllowed
from models.ledger.receipts import NoSuchAlert
from models.ledger.store import LedgerError, NotThere, Unfit

_MISSING = (NoSuchIncident, NoSuchHandover, NoSuchAlert, NoSuchVersion, NotThere)


@contextmanager
def reachable() -> Iterator[None]:
    """A database that does not answer, in the console's own words."""
    try:
        yield
    except (*_MISSING, NotAllowed):
        raise
    except Unfit as error:
        raise Refusal("内容里有数据库不收的字符(如 NUL)或过大的数，没有执行；请删去后再试") from error
    except LedgerError as error:
        raise Unavailable(str(error)) from error


@contextmanager
def in_words() -> Iterator[None]:
    """What a law forbids and what is not there, as the console knows them."""
    try:
        yield
    except _MISSING as error:
        raise Unknown(str(error)) from None
    except (NotAllowed, Refused, ValueError) as error:
        raise Refusal(str(error)) from None
    except OverflowError as error:
        raise Refusal(f"写的数或时间大得没法用，没有执行；请核对后重写（{error}）") from None
