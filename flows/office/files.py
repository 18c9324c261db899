"""Evidence with a file: looked at by its content, kept under its hash."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from connectors.console.desk import View
from connectors.uploads import examined
from flows.office import handling
from flows.office.asked import Params
from flows.office.handling import Act
from flows.office.plainly import in_words


class Desk(Protocol):
    """What carries an act out (`flows.office.desk.Desk`)."""

    def carried_out(
        self, name: str, incident_id: str, params: Params, by: str, once: str, act: Act
    ) -> View: ...


class Files:
    """The desk's room for files. Implements `connectors.console.desks.files.FilesDesk`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def stop(
        self, incident_id: str, params: Params, by: str, name: str, content: bytes, once: str = ""
    ) -> View:
        with in_words():
            file = examined(name, content)
        act = partial(handling.stop, file=file)
        return self._desk.carried_out("stop", incident_id, params, by, once, act)
