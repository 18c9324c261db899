"""Playbooks in the ledger: two people before a draft is in force, and versions frozen on incidents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flows.office.authors import checked_draft
from flows.office.desk import Desk
from flows.wiring import House
from models.core.situation import Situation
from models.core.vocabulary import BookState, ClockState, EventType, EvidenceKind, Grade, StartEvent
from models.ledger import acts, books, clocks, incidents, planning, proving
from models.ledger.books import Draft, NoSuchVersion
from models.ledger.incidents import NotAllowed
from models.ledger.store import Store
from models.ledger.verify import verify
from playbooks.simulate import Change, Scene, rehearse
from support.cli import Cli
from support.duty import HOUR, MIDNIGHT, MINUTE
from support.sites import ENVIRON, write_site
from support.waiting import until

FLOOD = """\
id: flood
name: 城市内涝
trigger: {when: 'event_type == "natural"'}
clocks:
  - {id: flood_statement, name: 首发, amount: PT2H, start: occurrence, fallback: [discovery],
     stop: {evidence: published_statement}, proposal: 本市要求}
"""
STRICTER = FLOOD.replace("PT2H", "PT1H")
DRAFT = Draft("flood", "城市内涝", "aaaa", FLOOD)


def handed_in(store: Store, draft: Draft = DRAFT, by: str = "chen") -> str:
    with store.write() as conn:
        return books.submit(conn, MIDNIGHT, draft, by, "汛期")


def settle(
    store: Store, number: str, state: BookState, by: str, after: timedelta = HOUR, **more: object
) -> None:
    with store.write() as conn:
        books.settle(conn, MIDNIGHT + after, number, state, by, "同意", **more)  # type: ignore[arg-type]


def in_force(store: Store, at: timedelta) -> list[str]:
    with store.read() as conn:
        return [row.version for row in books.in_force(conn, MIDNIGHT + at)]


# ── from a draft to being in force ────────────────────────────────────────────────────────────


def test_a_draft_is_in_force_once_a_second_person_has_approved_it(store: Store) -> None:
    number = handed_in(store)
    assert in_force(store, 9 * HOUR) == []
    with pytest.raises(NotAllowed, match="请另一个人审定"):
        settle(store, number, BookState.REVIEWED, "chen")
    settle(store, number, BookState.REVIEWED, "li")
    assert in_force(store, 30 * MINUTE) == []
    assert in_force(store, HOUR) == ["aaaa"]
    assert verify(store, MIDNIGHT + 9 * HOUR)["findings"] == []


def test_it_may_begin_later_and_the_newer_one_takes_over_then(store: Store) -> None:
    settle(store, handed_in(store), BookState.REVIEWED, "li")
    newer = handed_in(store, Draft("flood", "城市内涝", "bbbb", STRICTER))
    settle(store, newer, BookState.REVIEWED, "li", active_from=MIDNIGHT + 5 * HOUR)
    assert [in_force(store, hours * HOUR) for hours in (2, 5)] == [["aaaa"], ["bbbb"]]


def test_what_is_returned_or_withdrawn_is_never_in_force_nor_settled_twice(store: Store) -> None:
    first, second = handed_in(store), handed_in(store, Draft("flood", "内涝", "bbbb", STRICTER))
    settle(store, first, BookState.RETURNED, "li")
    with pytest.raises(NotAllowed, match="只有送审的人可以撤回"):
        settle(store, second, BookState.WITHDRAWN, "li")
    settle(store, second, BookState.WITHDRAWN, "chen")
    for number in (first, second):
        with pytest.raises(NotAllowed, match="不能再处理"):
            settle(store, number, BookState.REVIEWED, "zhao")
    assert in_force(store, 9 * HOUR) == []


def test_the_same_content_waits_once_and_every_act_has_a_reason(store: Store) -> None:
    number = handed_in(store)
    with pytest.raises(NotAllowed, match=f"草案 {number} 已在待审"):
        handed_in(store, by="li")
    with store.write() as conn, pytest.raises(NotAllowed, match="理由"):
        books.submit(conn, MIDNIGHT, Draft("x", "x", "cccc", FLOOD), "chen", " ")
    with store.read() as conn, pytest.raises(NoSuchVersion, match="没有编号为 nothing"):
        books.find(conn, "nothing")


def test_rolling_back_needs_one_person_and_a_version_that_was_reviewed(store: Store) -> None:
    old = handed_in(store)
    settle(store, old, BookState.REVIEWED, "li")
    newer = handed_in(store, Draft("flood", "城市内涝", "bbbb", STRICTER))
    with store.write() as conn, pytest.raises(NotAllowed, match="未经审定不能回退"):
        books.roll_back(conn, MIDNIGHT + 2 * HOUR, "flood", newer, "chen", "太紧")
    settle(store, newer, BookState.REVIEWED, "li", 1.5 * HOUR)
    with store.write() as conn:
        books.roll_back(conn, MIDNIGHT + 2 * HOUR, "flood", old, "chen", "太紧")
        with pytest.raises(NotAllowed, match="就是现行的"):
            books.roll_back(conn, MIDNIGHT + 2 * HOUR, "flood", old, "chen", "再来")
    assert [in_force(store, hours * HOUR) for hours in (1.5, 2)] == [["bbbb"], ["aaaa"]]
    with store.write() as conn:
        books.roll_back(conn, MIDNIGHT + 3 * HOUR, "flood", None, "chen", "不再需要")
    assert in_force(store, 3 * HOUR) == []


# ── frozen on the incident ────────────────────────────────────────────────────────────────────


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Path:
    made = write_site(tmp_path / "site", "http://127.0.0.1:9", database=database_url)
    (made / "playbooks").mkdir()
    (made / "playbooks" / "flood.yaml").write_text(FLOOD, encoding="utf-8")
    return made


def house(site: Path) -> House:
    """A fresh process's view of the site, as after a restart."""
    return House.open(site, ENVIRON)


@pytest.fixture
def opened(site: Path) -> Iterator[str]:
    with house(site) as now:
        times = {StartEvent.DISCOVERY: now.time.now()}
        opening = acts.Opening(
            "内涝", Grade.III, times, "chen", "", provisional=False, event_type=EventType.NATURAL
        )
        with now.store.write() as conn:
            incident = acts.open_incident(conn, now.time.now(), opening, now.rules_for)
    yield incident


def hours_of(house: House, incident: str, rule: str = "flood_statement") -> float:
    with house.store.read() as conn:
        clock = next(row for row in clocks.live_clocks(conn, incident) if row.rule_id == rule)
    return (clock.due_at - clock.started_at) / HOUR


def test_an_incident_keeps_the_version_that_its_clocks_were_planned_by(site: Path, opened: str) -> None:
    (site / "playbooks" / "flood.yaml").write_text(STRICTER, encoding="utf-8")
    with house(site) as now:
        with now.store.write() as conn:
            acts.set_grade(conn, now.time.now(), opened, Grade.II, "li", "升级", now.rules_for)
        assert hours_of(now, opened) == 2
        assert hours_of(now, opened, "first_statement") == 5  # a playbook that it needs only now
        with now.store.read() as conn:
            held = books.versions(conn, opened)
            assert {"flood", "major_emergency"} <= set(held)
            assert "PT2H" in (books.content(conn, held["flood"]) or "")
            assert not planning.out_of_step(conn, now.time.now(), incidents.get(conn, opened), now.rules_for)


def test_it_is_moved_to_the_newer_one_by_a_person_with_a_reason(site: Path, opened: str) -> None:
    (site / "playbooks" / "flood.yaml").write_text(STRICTER, encoding="utf-8")
    said = Cli(site)("move-playbook", opened, "--by", "li", "--reason", "从严", "--playbook", "flood")
    assert said.code == 0, said.err
    with house(site) as now:
        assert hours_of(now, opened) == 1
        assert verify(now.store, now.time.now())["findings"] == []
    again = Cli(site)("move-playbook", opened, "--by", "li", "--reason", "再来")
    assert (again.code, "已是现行版本" in again.err) == (1, True)
    other = Cli(site)("move-playbook", opened, "--by", "li", "--reason", "再来", "--playbook", "rumour")
    assert "没有用到预案 rumour" in other.err


def test_a_playbook_that_is_gone_goes_on_for_the_incidents_that_are_held_to_it(
    site: Path, opened: str
) -> None:
    (site / "playbooks" / "flood.yaml").unlink()
    with house(site) as now:
        with now.store.write() as conn:
            acts.set_grade(conn, now.time.now(), opened, Grade.IV, "li", "降级", now.rules_for)
        assert hours_of(now, opened) == 2
        assert now.library.get("flood") is None


def test_what_cannot_be_read_any_more_gives_way_to_the_version_in_force(site: Path, opened: str) -> None:
    with house(site) as now:
        kept = now.rules_for.keeping({"flood": "gone", "rumour": "broken"}, {"broken": "{not json"}.get)
        rules = kept(Situation(Grade.II, event_grade=Grade.II))
        assert {each.playbook for each in rules} >= {"major_emergency"}


# ── where the site asks for review ────────────────────────────────────────────────────────────


@pytest.fixture
def strict_site(tmp_path: Path, database_url: str) -> Path:
    review = {"playbooks": {"review": True}}
    made = write_site(tmp_path / "site", "http://127.0.0.1:9", database=database_url, site=review)
    (made / "playbooks").mkdir()
    (made / "playbooks" / "flood.yaml").write_text(FLOOD, encoding="utf-8")
    return made


def test_a_file_alone_is_not_in_force_where_two_people_are_asked_for(strict_site: Path) -> None:
    cli, file = Cli(strict_site), str(strict_site / "playbooks" / "flood.yaml")
    with house(strict_site) as now:
        assert now.library.get("flood") is None
        number = cli.json("playbook", "submit", file, "--by", "chen", "--reason", "汛期")["id"]
        assert cli("playbook", "approve", number, "--by", "chen", "--reason", "同意").code == 1
        assert now.library.get("flood") is None
        assert cli("playbook", "approve", number[:6], "--by", "li", "--reason", "同意").code == 0
        until(lambda: now.library.get("flood"))  # without a restart; each house has measured the time itself
        listed = {book["id"]: book for book in cli.json("playbook", "list")}
        assert listed["flood"]["versions"][0]["current"] is True
        assert (
            cli("playbook", "rollback", "flood", "--to", "none", "--by", "li", "--reason", "汛期过了").code
            == 0
        )
        until(lambda: now.library.get("flood") is None)


def test_a_draft_that_loosens_the_law_is_not_even_handed_in(strict_site: Path, tmp_path: Path) -> None:
    with house(strict_site) as now:
        lax = Path(now.library.playbooks[2].source).read_text(encoding="utf-8").replace("PT5H", "PT6H", 1)
        with pytest.raises(Exception, match="只能缩短：规定 PT5H，这里 PT6H"):
            checked_draft(now, lax)
    file = tmp_path / "lax.yaml"
    file.write_text(lax, encoding="utf-8")
    said = Cli(strict_site)("playbook", "submit", str(file), "--by", "chen", "--reason", "放宽")
    assert (said.code, "没有送审" in said.err) == (1, True)


def test_a_reviewed_one_that_this_release_refuses_is_left_out_and_the_board_says_so(
    strict_site: Path,
) -> None:
    with house(strict_site) as now:
        whole = Path(now.library.playbooks[2].source).read_text(encoding="utf-8")
        older = Draft("major_emergency", "重大", "dddd", whole.replace("PT5H", "PT6H", 1))  # lawful once
        number = handed_in(now.store, older)
        settle(now.store, number, BookState.REVIEWED, "li")
        rules = {rule.id: rule for _, rule in now.library.rules(Situation(Grade.I, event_grade=Grade.I))}
        assert rules["first_statement"].amount == 5 * HOUR
        item = next(each for each in Desk(now).board()["coverage"]["items"] if each["name"] == "playbooks")
    assert item["state"] == "late"
    assert "major_emergency@dddd" in item["detail"]


def test_a_site_that_asks_for_no_review_says_how_to_ask(site: Path) -> None:
    said = Cli(site)(
        "playbook", "submit", str(site / "playbooks" / "flood.yaml"), "--by", "chen", "--reason", "x"
    )
    assert (said.code, "playbooks: {review: true}" in said.err) == (1, True)


# ── the paper and the ledger agree ────────────────────────────────────────────────────────────


def test_the_rehearsal_plans_the_same_clocks_as_the_ledger_does(site: Path) -> None:
    """An incident that opens late, is raised, is answered and acknowledged: both by their own code."""
    with house(site) as now:
        times = {StartEvent.OCCURRENCE: MIDNIGHT, StartEvent.DISCOVERY: MIDNIGHT + HOUR}
        opening = acts.Opening("内涝", Grade.III, times, "chen", "", provisional=False)
        proof = proving.Proof(*_STATEMENT, url="https://example.gov.cn/1")
        rules = now.rules_for
        with now.store.write() as conn:
            incident = acts.open_incident(conn, MIDNIGHT + HOUR, opening, rules)
            acts.set_grade(conn, MIDNIGHT + 2 * HOUR, incident, Grade.I, "li", "升级", rules)
            proving.stop(conn, MIDNIGHT + 4 * HOUR, incident, proof, "chen", "首发", rules)
            rows = conn.execute(clocks.CLOCK.select().where(clocks.CLOCK.c.incident_id == incident)).all()
        changes = (
            Change(MIDNIGHT + 2 * HOUR, grade=Grade.I),
            Change(MIDNIGHT + 4 * HOUR, proof=EvidenceKind.STATEMENT),
        )
        known = Situation(Grade.III, event_grade=Grade.III, confirmed=True)
        scene = Scene(known, times, MIDNIGHT + HOUR, MIDNIGHT + 4 * HOUR, changes=changes)
        spans = rehearse(scene, now.library, now.site.roster, now.calendar).spans
    ended = (ClockState.MET, ClockState.SUPERSEDED)
    paper = {
        (s.clock, s.plan.started_at, s.plan.due_at, s.state if s.state in ended else None) for s in spans
    }
    ledger = {
        (row.rule_id, row.started_at, row.due_at, ClockState(row.state) if row.state in ended else None)
        for row in rows
    }
    assert paper == ledger
    assert len(ledger) >= 5


_STATEMENT = (EvidenceKind.STATEMENT, "市政府新闻办", MIDNIGHT + 4 * HOUR, MIDNIGHT + 4 * HOUR)
