"""What the phone's page needs to know of the site."""

from __future__ import annotations

from connectors.console.desk import View
from flows.office.handling import Desk


class Phone:
    """The desk's room for the phone. Implements `connectors.console.desks.phone.PhoneDesk`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def kit(self) -> View:
        site = self._desk.house.site
        return {"site": site.name, "publisher": site.name, "dictation": site.console.dictation}
