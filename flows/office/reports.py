"""Reports at the desk of a person: which there are, and each as a file.

Implements `connectors.console.desks.reports.ReportsDesk`. What writes files is heavy and loaded when asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.console.desk import Refusal, Unknown, View
from connectors.console.desks.reports import File
from flows.office.handling import Desk
from flows.office.plainly import in_words, reachable
from models.core import periods
from models.core.moment import iso
from models.ledger import reporting

if TYPE_CHECKING:
    from flows.reporting.making import Kind

FORMS_ZH = {"docx": "Word", "pdf": "PDF", "xlsx": "Excel", "md": "文本"}
CSV_ZH = {"csv": "CSV"}
SHOWN = 200
"""Incidents to choose from on the page, the newest; older ones by their number."""


class Reports:
    """Reports seen from the desk of a person."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def overview(self) -> View:
        """Every kind with its forms and usual periods; the incidents to choose from."""
        from flows.reporting.making import KINDS

        now = self.desk.now()
        with reachable(), self.desk.house.store.read() as conn:
            named = reporting.titles(conn, SHOWN)
        return {
            "site": self.desk.house.site.name,
            "now": iso(now),
            "kinds": [self._kind(kind) for kind in KINDS.values()],
            "incidents": named,
        }

    def _kind(self, kind: Kind) -> View:
        now = self.desk.now()
        usual = [kind.period(now), kind.period(kind.period(now).since - timedelta(hours=1))]
        if kind.key == "brief":
            usual += [periods.week_of(now), periods.week_of(now - timedelta(days=7)), periods.month_of(now)]
        if kind.key == "assessment":
            usual += [periods.quarter_of(now), periods.month_of(now)]
        first = [kind.form, *(form for form in FORMS_ZH if form != kind.form)]
        if kind.key == "registers":
            first.append("csv")
        return {
            "key": kind.key,
            "zh": kind.zh,
            "about": kind.about,
            "of": kind.of,
            "form": kind.form,
            "forms": [{"key": form, "zh": (FORMS_ZH | CSV_ZH)[form]} for form in first],
            "period": usual[0].key,
            "periods": [{"key": each.key, "name": each.name} for each in usual],
        }

    def file(self, kind: str, form: str, params: Mapping[str, str]) -> File:
        """The report as a file. Raises Unknown, Refusal."""
        from flows.reporting.making import MEDIA, make

        with _clearly(), in_words(), reachable():
            made = make(self.desk.house, kind, form, params)
        return File(made.name, made.content, MEDIA[form])

    def data(self, kind: str, params: Mapping[str, str]) -> View:
        """What the report says, without a file. Raises Unknown, Refusal."""
        from flows.reporting.making import drawn

        with _clearly(), in_words(), reachable():
            paper = drawn(self.desk.house, kind, params)
        return {
            "kind": kind,
            "kind_zh": paper.kind,
            "title": paper.title,
            "subtitle": paper.subtitle,
            "made_at": iso(paper.made_at),
            "seal": paper.seal,
            "data": paper.data,
        }


@contextmanager
def _clearly() -> Iterator[None]:
    """Why there is no report, as the console says it."""
    from connectors.reports.paper import NoSuchThing, ReportError

    try:
        yield
    except NoSuchThing as error:
        raise Unknown(str(error)) from None
    except ReportError as error:
        raise Refusal(str(error)) from None
