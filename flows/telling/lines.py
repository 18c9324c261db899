"""A neighbouring installation 邻居 as this house knows it: its name in the ledger, its line, how the last try went."""

from __future__ import annotations

from dataclasses import replace

from connectors.neighbours import Line
from connectors.ports import Refused
from flows.telling.hooked import Standing
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


def standing(conn: Connection, neighbour: NeighbourSource) -> Standing:
    """How the last try went."""
    kept = duties.get_setting(conn, mark_of(neighbour)) or {}
    next_at = parse_iso(kept["next_at"]) if kept.get("next_at") else None
    return Standing(0, kept.get("tries", 0), next_at, kept.get("why", ""))


def hurry(conn: Connection, neighbour: NeighbourSource) -> None:
    """Who has just written can be written to: what waits for a pause to end goes now."""
    at = standing(conn, neighbour)
    if at.next_at is not None:
        keep(conn, neighbour, replace(at, next_at=None))


def keep(conn: Connection, neighbour: NeighbourSource, now: Standing) -> None:
    value = {"tries": now.tries, "why": now.why, "next_at": iso(now.next_at) if now.next_at else None}
    duties.put_setting(conn, mark_of(neighbour), value)


def notice(house: House, occasion: str, title: str, reason: str, incident_id: str | None) -> Notice:
    """To whoever is on duty on the first rung."""
    people = on_duty(house, (1,), house.time.now())
    return Notice(TOPIC, occasion, title, reason, people, incident_id=incident_id)


def neighbour_of(house: House, neighbour_id: str) -> NeighbourSource | None:
    """The neighbour of that id, or whose name is just so."""
    both = (one for one in house.site.neighbours if neighbour_id in (one.id, one.name))
    return next(both, None)


def named(house: House, neighbour_id: str) -> Neighbour:
    """The same as the ledger knows it; one that the site names no more keeps its id."""
    found = neighbour_of(house, neighbour_id)
    return known(found) if found else Neighbour(neighbour_id, neighbour_id, "peer")
