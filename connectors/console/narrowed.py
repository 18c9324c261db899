"""The desk as an account of single units sees it: lists hold only the incidents of its units.

An address that names an incident is judged at the gate; what lists and what a form names besides, here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from connectors.console.desk import Desk, Refusal, View
from connectors.console.desks.board import BoardDesk
from connectors.console.desks.incident import IncidentDesk
from connectors.console.desks.listing import ListingDesk
from connectors.console.desks.work import WorkDesk
from models.core.boards import EVERYTHING, UNGIVEN, Wanted

OTHERS = "这起事件不归您的单位；请联系责任单位或值班员"


def narrowed(desk: Desk, units: frozenset[str]) -> Desk:
    return cast("Desk", _Narrowed(desk, units))


class _Through:
    """Everything that is not said otherwise goes through."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Narrowed(_Through):
    def __init__(self, desk: Desk, units: frozenset[str]) -> None:
        super().__init__(desk)
        self._desk, self._units = desk, units

    @property
    def boards(self) -> BoardDesk:
        return cast("BoardDesk", _Boards(self._desk.boards, self._units))

    @property
    def listing(self) -> ListingDesk:
        return cast("ListingDesk", _Lists(self._desk, self._units))

    @property
    def work(self) -> WorkDesk:
        return cast("WorkDesk", _Work(self._desk, self._units))

    @property
    def about(self) -> IncidentDesk:
        return cast("IncidentDesk", _About(self._desk, self._units))

    def board(self, wanted: Wanted = EVERYTHING) -> View:
        own = self._units | {UNGIVEN}
        return self._desk.board(replace(wanted, units=own if wanted.units is None else own & wanted.units))

    def mine(self, person_id: str) -> View:
        view, theirs = self._desk.mine(person_id), self._desk.access.visible(self._units)
        return {**view, "incidents": [one for one in view["incidents"] if one["id"] in theirs]}

    def act(self, name: str, incident_id: str, params: dict[str, str], by: str, once: str = "") -> View:
        """An act that names a second incident must not reach into another unit's."""
        into = params.get("into", "").removeprefix("舆-")
        theirs = self._desk.access.units_of("incident", into) if name == "merge" and into else None
        if theirs and not theirs & self._units:
            raise Refusal(OTHERS)
        return self._desk.act(name, incident_id, params, by, once)


class _Boards(_Through):
    def __init__(self, boards: BoardDesk, units: frozenset[str]) -> None:
        super().__init__(boards)
        self._boards, self._units = boards, units

    def trends(self, params: Mapping[str, str], units: frozenset[str] | None = None) -> View:
        return self._boards.trends(params, self._units if units is None else self._units & units)

    def numbers(self, units: frozenset[str] | None = None) -> View:
        return self._boards.numbers(self._units if units is None else self._units & units)


class _Lists(_Through):
    """Page by page, of their incidents alone."""

    def __init__(self, desk: Desk, units: frozenset[str]) -> None:
        super().__init__(desk.listing)
        self._desk, self._units = desk, units

    def incidents(self, state: str, before: str, limit: int, units: frozenset[str] | None = None) -> View:
        return self._desk.listing.incidents(
            state, before, limit, self._units if units is None else self._units & units
        )

    def proposals(self, everything: bool) -> View:
        view, theirs = self._desk.listing.proposals(everything), self._desk.access.visible(self._units)
        return {**view, "proposals": [one for one in view["proposals"] if one["incident_id"] in theirs]}


class _Work(_Through):
    """The list of tasks holds those of their incidents, and what their units have to do anywhere."""

    def __init__(self, desk: Desk, units: frozenset[str]) -> None:
        super().__init__(desk.work)
        self._desk, self._units = desk, units

    def list(self, unit: str = "") -> View:
        view, theirs = self._desk.work.list(unit), self._desk.access.visible(self._units)
        kept = [_only(group, theirs, self._units) for group in view["groups"]]
        groups = [group for group in kept if group["tasks"]]
        return {
            **view,
            "groups": groups,
            "units": [group["unit"] for group in groups],
            "late": sum(group["late"] for group in groups),
            "total": sum(len(group["tasks"]) for group in groups),
        }


def _only(group: View, incidents: frozenset[str], units: frozenset[str]) -> View:
    tasks = [one for one in group["tasks"] if one["incident_id"] in incidents or one["unit"] in units]
    return {**group, "tasks": tasks, "late": sum(one["late"] for one in tasks)}


class _About(_Through):
    def __init__(self, desk: Desk, units: frozenset[str]) -> None:
        super().__init__(desk.about)
        self._desk, self._units = desk, units

    def similar(self, incident_id: str) -> View:
        view, theirs = self._desk.about.similar(incident_id), self._desk.access.visible(self._units)
        return {**view, "similar": [one for one in view["similar"] if one["id"] in theirs]}
