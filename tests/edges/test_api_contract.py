"""The API against its own OpenAPI: whatever is sent, it answers in a documented way and never breaks.

A few cases for each operation; `make faults` sends many more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from connectors.console.app import build
from flows.office.desk import Desk
from flows.wiring import House
from support.fake_desk import FakeDesk
from support.sites import ENVIRON, write_site

CASES = 200 if os.environ.get("HUIYING_FAULTS") == "long" else 3
OURS: list[Any] = [positive_data_acceptance, negative_data_rejection]
"""Not asked: rules refuse words that the schema allows, and a text may be wrong in ways that a schema cannot say."""


@dataclass
class Fuzzed:
    """A real site with something in each room, its app, and the ids of what is there."""

    app: Any
    ids: dict[str, str]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    directory = write_site(tmp_path_factory.mktemp("api") / "site", "http://127.0.0.1:9")
    with House.open(directory, ENVIRON) as house:
        desk = Desk(house)
        yield Fuzzed(
            build(desk),
            {
                **_lived_in(desk),
                "person_id": "chen",
                "person": "chen",
                "playbook_id": "rumour",
                "number": "1",
            },
        )


def _lived_in(desk: Desk) -> dict[str, str]:
    incident = str(desk.act("open", "", {"title": "望江路塌陷", "grade": "II"}, "chen")["id"])
    draft = {"title": "通报", "text": "望江路塌陷，正在处置。"}
    statement = desk.statements.draft(incident, draft, "chen")["id"]
    entry = desk.registers.act("add", "", {"kind": "training", "title": "培训", "unit": "office"}, "li")["id"]
    booked = {"kind": "press_conference", "starts_at": "2030-11-21T16:00+08:00", "place": "发布厅"}
    desk.meetings.act("book", incident, booked, "li")
    return {"incident_id": incident, "statement_id": statement, "entry_id": entry, "kind": "special"}


def doors() -> list[tuple[str, str]]:
    """Every operation by its method and path, as the OpenAPI names them."""
    paths = build(FakeDesk()).openapi()["paths"]
    return [(method, path) for path, known in paths.items() for method in known]


@pytest.fixture(scope="module")
def described(fuzzed: Fuzzed) -> Any:
    return schemathesis.openapi.from_asgi("/api/openapi.json", fuzzed.app)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("method", "path"), doors())
def test_every_operation_answers_as_it_is_described(
    described: Any, fuzzed: Fuzzed, method: str, path: str, mode: GenerationMode
) -> None:
    """Each case once as it was made up, and once about what is really there."""

    @settings(
        max_examples=CASES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described[path][method].as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        case.call_and_validate(excluded_checks=OURS)
        there = {name: fuzzed.ids[name] for name in case.path_parameters or () if name in fuzzed.ids}
        if there:
            case.path_parameters.update(there)
            case.call_and_validate(excluded_checks=OURS)

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, (
            "only wrong data may be impossible: where nothing is asked for"
        )
