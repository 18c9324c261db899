"""Evidence with a file: looked at by its content, kept under its hash."""

from __future__ import annotations

from connectors.console.desk import View
from connectors.uploads import examined
from flows.office import handling
from flows.office.asked import Params
from flows.office.handling import Desk
from flows.office.plainly import in_words


class Files:
    """The desk's room for files. Implements `connectors.console.desks.files.FilesDesk`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def stop(self, incident_id: str, params: Params, by: str, name: str, content: bytes) -> View:
        with in_words():
            return handling.stop(self._desk, incident_id, params, by, examined(name, content))
