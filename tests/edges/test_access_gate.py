"""The gate before a desk without a database: who is let through, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from connectors.console import permits
from connectors.console.app import build
from connectors.console.gate import WHO, while_in
from connectors.console.permits import Reach
from models.core.access import Stage, Who
from models.core.vocabulary import AccountRole
from support.fake_access import FakeAccess
from support.fake_desk import FakeDesk

CHEN = Who("chen", "chen", "陈值班", frozenset({AccountRole.OFFICER}), session="s-chen")
LATER = "/incidents/inc-1/acts/snooze"
OURS = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def guarded(desk: FakeDesk) -> Iterator[TestClient]:
    """A console with accounts, on the device of the duty officer."""
    desk.access = FakeAccess({"secret-of-chen": CHEN}, acts_per_minute=5)
    with TestClient(build(desk), follow_redirects=False, raise_server_exceptions=False) as client:
        client.cookies.set("huiying_session", "secret-of-chen")
        client.headers.update(OURS)
        yield client


def test_without_accounts_everything_is_as_it_was(client: TestClient, desk: FakeDesk) -> None:
    assert client.get("/").status_code == 200
    assert client.get("/login").headers["location"] == "/"
    answer = client.post("/api/v1/incidents/inc-1/acts/snooze", json={"by": "chen"})
    assert answer.status_code == 200
    assert desk.acts[-1][3] == "chen"


@pytest.mark.parametrize(
    "path", ["/nothing", "/incidents/inc-1/secret", "/api/v1/nothing", "/incidents/inc-1/", "/accounts%0A"]
)
def test_an_address_that_nobody_named_is_closed_even_to_one_who_is_in(guarded: TestClient, path: str) -> None:
    assert guarded.get(path).status_code in (403, 404)


@pytest.mark.parametrize("way", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_closed(guarded: TestClient, desk: FakeDesk, way: str) -> None:
    assert guarded.request(way, "/incidents/inc-1").status_code == 403
    assert desk.acts == []


def test_a_fragment_of_one_who_was_put_out_leads_the_whole_page_to_the_sign_in(guarded: TestClient) -> None:
    guarded.cookies.clear()
    headers = {"hx-request": "true", "hx-current-url": "http://testserver/mine?x=1"}
    answer = guarded.get("/fragments/mine", headers=headers)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login?back=/mine%3Fx%3D1")
    foreign = {**headers, "hx-current-url": "http://evil.example/mine"}
    assert guarded.get("/fragments/mine", headers=foreign).headers["hx-redirect"] == "/login?back=/"
    assert guarded.get("/events").status_code == 401


def test_the_way_back_keeps_the_question_and_an_act_that_came_too_late_leads_home(
    guarded: TestClient,
) -> None:
    guarded.cookies.clear()
    assert guarded.get("/audit?actor=li").headers["location"] == "/login?back=%2Faudit%3Factor%3Dli"
    assert guarded.post("/incidents/inc-1/acts/ack").headers["location"] == "/login?back=%2F"


def test_the_metrics_are_open_to_tokens_and_closed_to_the_network(guarded: TestClient) -> None:
    guarded.cookies.clear()
    assert guarded.get("/metrics").status_code == 401  # "testclient" is no address of this machine
    with TestClient(guarded.app, client=("127.0.0.1", 50000)) as here:
        assert here.get("/metrics").status_code == 200


@pytest.mark.parametrize("stage", [Stage.CODE, Stage.PASSWORD, Stage.ENROL])
def test_one_who_has_only_begun_to_sign_in_is_led_on_and_acts_on_nothing(
    desk: FakeDesk, stage: Stage
) -> None:
    begun = Who("li", "li", "李主任", frozenset({AccountRole.MANAGER}), stage=stage, session="s")
    desk.access = FakeAccess({"half": begun})
    with TestClient(build(desk), follow_redirects=False) as client:
        client.cookies.set("huiying_session", "half")
        client.headers.update(OURS)
        step = "/login/code" if stage is Stage.CODE else "/account"
        for path in ("/", "/incidents/inc-1", "/accounts"):
            assert client.get(path).headers["location"] == step, path
        if stage is Stage.CODE:  # who they are is not known yet, so that nothing can be confirmed
            assert client.get("/login/confirm").headers["location"] == step
        assert client.get("/api/v1/board").status_code == 401
        assert client.post("/incidents/inc-1/acts/ack").status_code == 303
        assert desk.acts == []


def test_an_account_of_one_unit_is_kept_from_the_incidents_of_others(desk: FakeDesk) -> None:
    limited = Who("x", "chen", "陈", frozenset({AccountRole.MANAGER}), frozenset({"office"}), session="s")
    desk.access = FakeAccess({"unit": limited})
    desk.access.owned = {"inc-1": frozenset({"fire"}), "inc-2": frozenset({"office"})}
    with TestClient(build(desk), follow_redirects=False) as client:
        client.cookies.set("huiying_session", "unit")
        client.headers.update(OURS)
        assert client.get("/api/v1/incidents/inc-1").status_code == 403
        assert client.get("/api/v1/incidents/inc-2").status_code == 200
        assert client.post("/incidents/inc-1/acts/ack").status_code == 403
        assert client.post("/incidents/inc-2/acts/snooze").status_code == 303
        whole = [path for way, path, rule in permits.lines() if way == "GET" and rule.reach is Reach.WHOLE]
        assert len(whole) > 8
        for path in whole:
            if "{" not in path:
                assert client.get(path).status_code == 403, path


def test_a_stream_ends_for_one_who_was_put_out_and_its_source_is_closed(desk: FakeDesk) -> None:
    closed: list[bool] = []

    async def source() -> AsyncGenerator[int, None]:
        try:
            for number in range(100):
                yield number
        finally:
            closed.append(True)

    async def heard() -> list[int]:
        desk.access = FakeAccess({"secret-of-chen": CHEN})
        cookie = (b"cookie", b"huiying_session=secret-of-chen")
        scope = {
            "type": "http",
            "scheme": "http",
            "path": "/events",
            "server": ("test", 80),
            "headers": [cookie],
            "app": build(desk),
            WHO: CHEN,
        }
        pieces = []
        async for piece in while_in(Request(scope), source(), every_s=0):
            pieces.append(piece)
            if piece == 2:
                desk.access.sign_out("secret-of-chen")
        return pieces

    assert asyncio.run(heard()) == [0, 1, 2]
    assert closed == [True]


def test_too_many_acts_are_answered_with_the_time_to_wait(guarded: TestClient) -> None:
    codes = [guarded.post(LATER).status_code for _ in range(6)]
    assert codes == [303] * 5 + [429]
    answer = guarded.post("/api/v1/incidents/inc-1/acts/ack", json={})
    assert (answer.status_code, "秒后再试" in answer.json()["error"]) == (429, True)
    assert int(answer.headers["retry-after"]) > 0
