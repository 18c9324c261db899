"""The board over a hand-written desk: its filter in the address, its stretches, what the stream sends, trends."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from connectors.console.drawn import MOST_LOOKS, Drawing, Gallery, Look, draw
from connectors.console.pulse import Pulse
from models.core.boards import Wanted
from support.fake_desk import FakeDesk

LOOK = Look(Wanted(limit=30))


def rows(html: str) -> list[str]:
    return re.findall(r'<article [^>]*id="i-([\w-]+)"', html)


# ── what is wanted ──


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("state=breached", {"inc-2"}),
        ("grade=I&grade=II", {"inc-1", "inc-3"}),
        ("q=化工园区", {"inc-1"}),
        ("q=%E2%80%9C%27%3B--", set()),
    ],
)
def test_a_filter_in_the_address_bounds_the_rows(
    client: TestClient, desk: FakeDesk, query: str, shown: set[str]
) -> None:
    everything = {one["id"]: one for one in desk.board()["incidents"]}
    found = set(rows(client.get(f"/?{query}").text))
    if "grade" in query:
        shown = {key for key, one in everything.items() if one["grade"] in ("I", "II")}
    assert found == shown
    answer = client.get(f"/api/v1/board?{query}").json()
    assert {one["id"] for one in answer["incidents"]} == found
    assert answer["found"] == len(found)


def test_a_filter_is_kept_in_its_form_and_the_numbers_above_stay_of_all(client: TestClient) -> None:
    html = client.get("/?state=breached&grade=III&q=水&unit=应急局").text
    assert re.findall(r'id="f-[\w-]+" value="(\w+)" checked', html) == ["III", "breached"]
    assert 'value="水"' in html
    assert '<option value="应急局" selected>' in html
    assert "符合的有" in html
    whole = client.get("/").text
    assert re.findall(r"<dd>.*?</dd>", html) == re.findall(r"<dd>.*?</dd>", whole)


@pytest.mark.parametrize("query", ["grade=V", "state=lost", "kind=x", "offset=-3", "offset=1e9", "rows=x"])
def test_words_that_nobody_knows_still_lead_to_a_board(client: TestClient, query: str) -> None:
    assert rows(client.get(f"/?{query}").text) == rows(client.get("/").text)


def test_a_filter_that_fits_nothing_says_so_and_leads_back(client: TestClient) -> None:
    html = client.get("/?q=没有这样的事").text
    assert "没有符合条件的未结事件" in html
    assert 'href="/">看全部' in html


def test_a_hostile_search_stays_text(client: TestClient) -> None:
    html = client.get('/?q="><script>alert(1)</script>&unit="><b>').text
    assert "<script>alert" not in html
    assert '"><b>' not in html


# ── stretches ──


def test_a_long_board_comes_in_stretches_that_a_link_leads_through(client: TestClient) -> None:
    whole = rows(client.get("/").text)
    seen, address, steps = [], "/?rows=2", 0
    while address and steps < 10:
        html = client.get(address).text
        seen += rows(html)
        link = re.search(r'rel="next" href="([^"]+)"', html)
        address, steps = link[1].replace("&amp;", "&") if link else "", steps + 1
    assert seen == whole
    assert 'rel="prev"' in html


def test_a_stretch_that_says_the_same_is_not_sent_again(client: TestClient, desk: FakeDesk) -> None:
    address = "/fragments/board/rows?rows=3&state=unacked"
    first = client.get(address)
    known = {"If-None-Match": first.headers["etag"]}
    assert client.get(address, headers=known).status_code == 304
    desk.act("ack", rows(first.text)[0], {}, "chen")
    assert client.get(address, headers=known).status_code == 200


def test_an_act_from_the_board_answers_with_that_row_alone(chen: TestClient) -> None:
    answer = chen.post("/incidents/inc-4/acts/ack", data={"view": "board"}, headers={"hx-request": "true"})
    assert rows(answer.text) == ["inc-4"]
    assert 'hx-swap-oob="true"' in answer.text
    assert "陈值班" in answer.text
    assert "已签收" in answer.text


# ── one drawing for all ──


def test_time_alone_changes_no_part_and_an_act_changes_its_row_and_the_counts(desk: FakeDesk) -> None:
    running = FakeDesk(running=True, speed=60)
    before, after = draw(running, LOOK), draw(running, LOOK)
    assert before.view["now"] != after.view["now"]
    assert after.changes(before.marks) == {}
    first = draw(desk, LOOK)
    desk.act("ack", "inc-4", {}, "chen")
    assert set(draw(desk, LOOK).changes(first.marks)) == {"i-inc-4", "b-counts"}


def test_the_name_of_a_drawing_outlives_a_restart(desk: FakeDesk) -> None:
    assert draw(desk, LOOK).name == draw(FakeDesk(), LOOK).name


def test_hundreds_who_come_at_once_cost_one_drawing() -> None:
    desk = Counting()
    gallery = Gallery(desk)
    with ThreadPoolExecutor(16) as crowd:
        drawn = list(crowd.map(lambda _: gallery.drawing(LOOK), range(300)))
    assert desk.asked == 1
    assert len({id(one) for one in drawn}) == 1
    desk.touch()
    gallery.drawing(LOOK)
    assert desk.asked == 2


class Counting(FakeDesk):
    asked = 0

    def board(self, wanted: Wanted = Wanted()) -> dict[str, Any]:  # noqa: B008
        self.asked += 1
        return super().board(wanted)


# ── the stream ──


async def _until(stream: AsyncIterator[bytes], name: str) -> dict[str, Any]:
    """The next event of that name: its id, and its data where it is JSON."""
    async with asyncio.timeout(20):
        async for chunk in stream:
            for event in chunk.decode().split("\n\n"):
                fields = dict(line.partition(": ")[::2] for line in event.splitlines())
                if fields.get("event") == name:
                    told = json.loads(fields["data"])
                    return {"id": fields.get("id", ""), "told": told}
    raise AssertionError(f"the stream ended without {name}")


def test_a_viewer_is_sent_what_changed_and_one_who_comes_back_what_they_missed(desk: FakeDesk) -> None:
    async def look() -> None:
        pulse = Pulse(desk, 0.02)
        shown = pulse.gallery.drawing(LOOK)
        stream = pulse.stream(shown.name, LOOK)
        await anext(stream)
        desk.act("ack", "inc-4", {}, "chen")
        first = await _until(stream, "parts")
        assert set(first["told"]["parts"]) == {"i-inc-4", "b-counts"}
        assert first["told"]["order"] == list(shown.order)
        desk.arrive("断线时来的线索")
        second = await _until(stream, "parts")
        assert set(second["told"]["parts"]) == {"b-feed"}
        back = pulse.stream(first["id"], LOOK)
        assert set((await _until(back, "parts"))["told"]["parts"]) == {"b-feed"}
        await _close(pulse, stream, back)

    asyncio.run(look())


def test_who_comes_back_after_a_restart_asks_anew_only_when_something_changed(desk: FakeDesk) -> None:
    async def look() -> None:
        name = draw(desk, LOOK).name
        fresh = Pulse(desk, 0.02)
        fresh.gallery.drawing(LOOK)
        desk.act("ack", "inc-4", {}, "chen")
        same, other = fresh.stream(name, LOOK), fresh.stream(name.replace("-", "-x"), LOOK)
        assert set((await _until(same, "parts"))["told"]["parts"]) == {"i-inc-4", "b-counts"}
        assert (await _until(other, "renew"))["told"] == desk.revision()
        await _close(fresh, other, same)

    asyncio.run(look())


async def _close(pulse: Pulse, *streams: AsyncIterator[bytes]) -> None:
    await pulse.close()
    for stream in streams:
        async for _ in stream:
            pass


def test_what_a_page_holds_is_what_its_stream_names(client: TestClient, desk: FakeDesk) -> None:
    html = client.get("/?state=unacked").text
    address = re.search(r'sse-connect="([^"]+)"', html)
    assert address
    name = re.search(r"since=([\w-]+)&amp;board=1&amp;state=unacked", address[1])
    assert name
    drawing: Drawing = client.app.state.console.pulse.gallery.drawing(  # type: ignore[attr-defined]
        Look(Wanted(limit=30, standings=frozenset({"unacked"})))  # type: ignore[arg-type]
    )
    assert name[1] == drawing.name


# ── trends ──


def test_the_figures_of_the_charts_stand_in_a_table_too(client: TestClient) -> None:
    html = client.get("/trends?step=week&unit=应急局").text
    told = client.get("/api/v1/trends?step=week&unit=应急局").json()
    for one in told["stretches"]:
        assert one["name"] in html
    assert "80%" in html
    assert 'data-from="/api/v1/trends?step=week&amp;unit=%E5%BA%94%E6%80%A5%E5%B1%80"' in html
    assert "<script>" not in html


def test_a_stretch_of_time_that_is_none_is_refused_in_words(client: TestClient) -> None:
    answer = client.get("/api/v1/trends?step=fortnight")
    assert answer.status_code == 409
    assert "week(按周)" in answer.json()["error"]


def test_the_board_speaks_english_when_asked_to(client: TestClient) -> None:
    client.cookies.set("huiying_lang", "en")
    page = client.get("/").text
    for word in ("Open incidents", "breached", "Acknowledge", "Search"):
        assert word in page
    assert "未结事件" not in page
    assert "On time" in client.get("/trends").text


def test_when_too_many_boards_are_looked_at_the_next_page_is_told_to_ask(desk: FakeDesk) -> None:
    async def look() -> None:
        pulse = Pulse(desk, 0.02)
        others = [pulse.stream("", Look(Wanted(limit=1, offset=n))) for n in range(MOST_LOOKS)]
        for one in others:
            await anext(one)
        late = pulse.stream("", LOOK)
        assert (await _until(late, "renew"))["told"] == desk.revision()
        desk.act("ack", "inc-4", {}, "chen")
        assert (await _until(late, "renew"))["told"] == desk.revision()
        await _close(pulse, late, *others)

    asyncio.run(look())
