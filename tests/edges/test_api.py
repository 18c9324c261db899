"""The API as a program meets it: described whole, refusing in one form, its examples true, its lists paged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from connectors.console import deeds, shapes
from connectors.console.app import build
from connectors.console.desks.statements import ACTS as STATEMENT_ACTS
from connectors.console.openapi import FILES, REFUSALS
from flows.office import aftermath, authors, dossiers, handling, meetings, registers, work
from flows.office.desk import Desk
from flows.wiring import House
from models.core.signals import Rejected
from models.ledger import deadletters
from support.fake_desk import FakeDesk
from support.routes import routes
from support.sites import ENVIRON, write_site

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    directory = write_site(tmp_path_factory.mktemp("api") / "site", NOBODY)
    with House.open(directory, ENVIRON) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[TestClient]:
    with TestClient(build(Desk(house)), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def described(client: TestClient) -> dict[str, Any]:
    told: dict[str, Any] = client.get("/api/openapi.json").json()
    return told


def opened(house: House, title: str = "望江路塌陷") -> str:
    return str(Desk(house).act("open", "", {"title": title, "grade": "II"}, "chen")["id"])


# ── described ──


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, known in described["paths"].items():
        for method, operation in known.items():
            yield method, path, operation


def test_every_operation_says_what_it_is_and_how_it_refuses(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    for method, path, operation in operations(described):
        assert operation["summary"], path
        assert operation["tags"], path
        assert set(REFUSALS) <= set(operation["responses"]), path
        assert operation["security"] == [{}, {"令牌": []}], (method, path)
    assert described["components"]["securitySchemes"]["令牌"]["scheme"] == "bearer"


def test_every_answer_has_a_shape_or_is_a_file(described: dict[str, Any]) -> None:
    vague = []
    for method, path, operation in operations(described):
        good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
        schema = good["content"].get("application/json", {}).get("schema", {})
        if path not in FILES and "$ref" not in schema and "items" not in schema:
            vague.append(f"{method} {path}")
    assert vague == [], "each wants a line in connectors/console/shapes.py"


def test_every_act_has_an_example_and_its_words_are_explained(described: dict[str, Any]) -> None:
    for method, path, operation in operations(described):
        if method == "post" and "multipart/form-data" not in operation["requestBody"]["content"]:
            body = operation["requestBody"]["content"]["application/json"]
            assert body.get("examples"), path
    for deed in (*deeds.ONE.values(), *(deed for door in deeds.MANY.values() for deed in door.values())):
        assert set(deed.words) <= set(deeds.WORDS), deed
        assert set(deed.needed) <= set(deed.example), deed
        assert set(deed.example) <= {"by", *deed.words}, deed


def test_the_table_of_acts_is_that_of_the_desk() -> None:
    for told, known in (
        (deeds.INCIDENT, set(handling.ACTS) - {"open"}),
        (deeds.WORK, work.ACTS),
        (deeds.MEETING, meetings.ACTS),
        (deeds.DOSSIER, dossiers.ACTS),
        (deeds.AFTERMATH, aftermath.ACTS),
        (deeds.REGISTER, set(registers.ACTS) - {"add"}),
        (deeds.PLAYBOOK, authors.ACTS),
        (deeds.STATEMENT, STATEMENT_ACTS),
        (deeds.HANDOVER, handling.HANDS),
    ):
        assert set(told) == set(known)


OWN = ("/login", "/logout", "/account", "/accounts", "/language", "/me", "/a/", "/hooks/")
"""Doors of the pages alone: the way in and out, one's own account, one-use links, what others sign."""
SAME_ACT = {"/incidents/{incident_id}/split"}
"""Forms that end in an act which the API has: split by ticks."""


def test_whatever_a_page_can_do_the_api_can_do() -> None:
    known = set(routes(build(FakeDesk())))
    acts = {path for method, path in known if method == "POST" and not path.startswith(("/api/", *OWN))}
    lacking = {path for path in acts - SAME_ACT if ("POST", f"/api/v1{path}") not in known}
    assert len(acts) > 15
    assert lacking == set()


def test_a_shape_without_a_line_is_noticed() -> None:
    with pytest.raises(KeyError):
        shapes.shape("clocks:[Clokc]")


# ── the examples ──


@pytest.mark.parametrize(
    ("door", "name"), [(door, name) for door, known in deeds.MANY.items() for name in known]
)
def test_each_example_is_understood(house: House, client: TestClient, door: str, name: str) -> None:
    """Done, or refused by a rule that names what it is about: never for the way it was written."""
    path = door.replace("{name}", name)
    for part, value in there(house, door).items():
        path = path.replace(f"{{{part}}}", value)
    answer = client.post(path, json=dict(deeds.MANY[door][name].example))
    assert answer.status_code in (200, 404, 409), answer.text
    if answer.status_code != 200:
        said = answer.json()["error"]
        assert not any(word in said for word in ("没有这个", "缺少", "不存在", "不是时间", "这个操作")), said


def there(house: House, door: str) -> dict[str, str]:
    """What the path of a door may name."""
    desk, parts = Desk(house), {"playbook_id": "our", "handover_id": "x", "number": "1"}
    if "{incident_id}" in door:
        parts["incident_id"] = opened(house)
    if "{statement_id}" in door:
        draft = {"title": "通报", "text": "望江路塌陷，正在处置。"}
        parts["statement_id"] = desk.statements.draft(opened(house), draft, "chen")["id"]
    if "{entry_id}" in door:
        parts["entry_id"] = desk.registers.act("add", "", {"kind": "training", "title": "培训"}, "li")["id"]
    return parts


@pytest.mark.parametrize(
    "name", ["ack", "take", "escalate", "snooze", "grade", "stop", "waive", "update", "assign", "correct"]
)
def test_the_examples_of_an_officers_night_work_as_they_stand(
    house: House, client: TestClient, name: str
) -> None:
    example = dict(deeds.INCIDENT[name].example)
    answer = client.post(f"/api/v1/incidents/{opened(house)}/acts/{name}", json=example)
    assert answer.status_code == 200, answer.text
    assert answer.json()["timeline"][0]["actor"] or answer.json()["timeline"]


@pytest.mark.parametrize("door", [*deeds.ONE])
def test_each_door_that_is_one_act_does_its_example(house: House, client: TestClient, door: str) -> None:
    path = door.replace("{incident_id}", opened(house)).replace("{playbook_id}", "our")
    answer = client.post(path, json=dict(deeds.ONE[door].example))
    assert answer.status_code in (200, 201), answer.text


# ── refusals ──


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("POST", "/api/v1/incidents", {"json": {"by": "nobody", "title": "x", "grade": "II"}}, 403),
        ("GET", "/api/v1/incidents/none", {}, 404),
        ("GET", "/api/v1/nothing/here", {}, 404),
        ("DELETE", "/api/v1/board", {}, 405),
        ("POST", "/api/v1/incidents", {"json": {"by": "chen", "title": "x", "grade": "V"}}, 409),
        (
            "POST",
            "/api/v1/incidents",
            {"content": b"{" + b" " * 70_000, "headers": {"content-type": "application/json"}},
            413,
        ),
        (
            "POST",
            "/api/v1/incidents",
            {"content": b"{", "headers": {"content-type": "application/json"}},
            422,
        ),
        ("POST", "/api/v1/incidents", {"json": {"by": 7}}, 422),
        ("POST", "/api/v1/incidents", {"json": ["chen"]}, 422),
        ("GET", "/api/v1/audit?limit=501", {}, 422),
        ("GET", "/api/v1/incidents?state=some", {}, 422),
        ("GET", "/api/v1/incidents?before=none", {}, 404),
    ],
)
def test_every_refusal_is_one_sentence_in_one_form(
    client: TestClient, method: str, path: str, sent: dict[str, Any], status: int
) -> None:
    answer = client.request(method, path, **sent)
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    assert str(status) in REFUSALS


# ── lists ──


def test_incidents_are_paged_without_a_gap_while_new_ones_come_and_old_ones_close(
    house: House, client: TestClient
) -> None:
    made = [opened(house, f"第 {n} 起") for n in range(5)]
    first = client.get("/api/v1/incidents", params={"state": "all", "limit": 2}).json()
    seen = [one["id"] for one in first["incidents"]]
    assert seen == made[:-3:-1]
    Desk(house).act("merge", seen[-1], {"into": made[0]}, "li")  # the one that the cursor names is gone
    opened(house, "翻页途中新立的")
    following = first["next"]
    while following:
        page = client.get(
            "/api/v1/incidents", params={"state": "all", "limit": 2, "before": following}
        ).json()
        seen, following = seen + [one["id"] for one in page["incidents"]], page["next"]
    assert seen[:5] == made[::-1]
    assert len(seen) == len(set(seen))
    assert made[3] in {
        one["id"] for one in client.get("/api/v1/incidents?state=closed&limit=200").json()["incidents"]
    }
    assert made[3] not in {one["id"] for one in client.get("/api/v1/incidents?limit=200").json()["incidents"]}


def test_a_dead_letter_is_put_right_by_the_api_as_by_the_page(house: House, client: TestClient) -> None:
    lost = Rejected("热线.csv:2", "没有标题", "编号,标题\n1,", {"row": {"编号": "1"}, "columns": {}})
    with house.store.write() as conn:
        deadletters.reject(conn, house.time.now(), "hotline", [lost])
    number = client.get("/api/v1/deadletters").json()["letters"][0]["id"]
    door = f"/api/v1/deadletters/{number}/acts"
    assert client.post(f"{door}/drop", json={"by": "chen"}).status_code == 409, "a reason is needed"
    assert client.post(f"{door}/burn", json={"by": "chen"}).status_code == 404
    assert client.post(f"{door}/drop", json={"reason": "测试"}).status_code == 403
    answer = client.post(f"{door}/drop", json={"by": "chen", "reason": "测试"})
    assert answer.json() == {"said": "已作废"}
    assert client.get(f"/api/v1/deadletters/{number}").json()["settled_by"]
