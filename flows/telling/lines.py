"""A neighbouring installation 邻居 as this house knows it: its name in the ledger, its line, how the last try went."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from connectors.neighbours import Line
from connectors.ports import Refused
from flows.telling.tries import Tries, keep_tries, tries_of
from flows.watching.recheck import on_duty
from flows.wiring import House
from models.core.levels import Neighbour
from models.core.moment import iso, parse_iso
from models.ledger import duties
from models.ledger.notices import Notice
from models.ledger.store import Connection
from playbooks.levels_paper import NeighbourSource

TOPIC = "levels"


def duty(neighbour: NeighbourSource) -> str:
    """The name of its row among the duties, which the coverage shows."""
    return f"level:{neighbour.id}"


def mark_of(neighbour: NeighbourSource) -> str:
    """The setting that keeps what came of the last try."""
    return f"levels:{neighbour.id}"


def put_off_of(neighbour: NeighbourSource) -> str:
    """The setting that keeps which letters it would not have, and when each is written again."""
    return f"levels:put off:{neighbour.id}"


def known(neighbour: NeighbourSource) -> Neighbour:
    return Neighbour(neighbour.id, neighbour.name, neighbour.relation.value)


def line(house: House, neighbour: NeighbourSource) -> Line:
    """Raises Refused when our own key cannot be had."""
    us = house.site.levels.id or ""
    return Line(us, neighbour.id, str(neighbour.url), neighbour.public_key, private_key(house))


def private_key(house: House) -> str:
    """Our own key. Raises Refused."""
    try:
        return house.site.secrets(house.site.levels.private_key or "")
    except (LookupError, OSError, ValueError) as error:
        raise Refused(f"levels.private_key: {error}") from None


def standing(conn: Connection, neighbour: NeighbourSource) -> Tries:
    """How the last try went."""
    return tries_of(conn, mark_of(neighbour))


def hurry(conn: Connection, neighbour: NeighbourSource) -> None:
    """Who has just written can be written to: what waits for a pause to end goes now."""
    at = standing(conn, neighbour)
    if at.next_at is not None:
        keep(conn, neighbour, replace(at, next_at=None))


def keep(conn: Connection, neighbour: NeighbourSource, now: Tries) -> None:
    keep_tries(conn, mark_of(neighbour), now)


def waiting(conn: Connection, neighbour: NeighbourSource, now: datetime) -> Collection[str]:
    """Letters that the neighbour would not have and that are not written again yet."""
    kept = duties.get_setting(conn, put_off_of(neighbour)) or {}
    return {letter for letter, next_at in kept.items() if parse_iso(next_at) > now}


def put_off(conn: Connection, neighbour: NeighbourSource, letter: str, next_at: datetime) -> bool:
    """Write it again at `next_at`. True: it is the first time that they would not have it."""
    kept = duties.get_setting(conn, put_off_of(neighbour)) or {}
    duties.put_setting(conn, put_off_of(neighbour), {**kept, letter: iso(next_at)})
    return letter not in kept


def got_through(conn: Connection, neighbour: NeighbourSource, referral_id: str) -> None:
    """They have our word on it: nothing that was put off of it is written any more."""
    kept = duties.get_setting(conn, put_off_of(neighbour)) or {}
    left = {letter: at for letter, at in kept.items() if not letter.startswith(f"{referral_id}.")}
    if left != kept:
        duties.put_setting(conn, put_off_of(neighbour), left)


def notice(house: House, occasion: str, title: str, reason: str, incident_id: str | None) -> Notice:
    """To whoever is on duty on the first rung."""
    people = on_duty(house, (1,), house.time.now())
    return Notice(TOPIC, occasion, title, reason, people, incident_id=incident_id)


def of_id(house: House, neighbour_id: str) -> NeighbourSource | None:
    """The neighbour of that id: letters and rows name it so, for one may be called what another's id is."""
    return next((one for one in house.site.neighbours if one.id == neighbour_id), None)


def meant(house: House, said: str) -> NeighbourSource | None:
    """The neighbour that a person means: by its id, else by its name."""
    return of_id(house, said) or next((one for one in house.site.neighbours if one.name == said), None)


def named(house: House, neighbour_id: str) -> Neighbour:
    """The neighbour of that id as the ledger knows it; one that the site names no more keeps its id."""
    found = of_id(house, neighbour_id)
    return known(found) if found else Neighbour(neighbour_id, neighbour_id, "peer")
