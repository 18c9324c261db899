"""What goes along when incidents merge: the work with its limits, units, tasks; and what a split leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from models.core.assignments import Want
from models.core.casework import Disclosure, MeetingKind, Outlet, PartyRole, ProductKind, Register, Verdict
from models.core.moment import iso
from models.core.review import asked, chain_of
from models.core.statements import Content
from models.core.vocabulary import EvidenceKind, OpinionKind, Stage
from models.ledger import (
    captures,
    incidents,
    joining,
    limits,
    meetings,
    parties,
    registers,
    releases,
    reviewing,
    stages,
    statements,
    supervising,
    tasks,
)
from models.ledger.clocks import CLOCK, LIVE
from models.ledger.entry import Entry
from models.ledger.journal import JOURNAL, append
from models.ledger.parties import Ask, Caller
from models.ledger.registers import New
from models.ledger.releases import Published
from models.ledger.reviewing import Handed
from models.ledger.stages import Mover
from models.ledger.store import Store
from support.duty import FIRST, HOUR, MIDNIGHT
from support.limits import THIS_YEAR, Rules, holds, opened, raised

CALL = Want("major:task:call", "与媒体联系", "major", owner="宣传部")
CLARIFY = Want("rumour:kind:clarify", "及时回应", "rumour", must=True)
DRAFT = Content(EvidenceKind.STATEMENT, "火灾通报", "## 事实\n园区起火。\n", "市应急局", Disclosure.PROACTIVE)
CHAIN = (("初审", "部门分管负责人", 0.4), ("审核", "部门主要负责人", 0.3), ("审发", "政府办公室", 0.3))
RULES = Rules(FIRST)
LATER = MIDNIGHT + HOUR
LEAD, CO, COORDINATOR = PartyRole.LEAD, PartyRole.CO, PartyRole.COORDINATOR


def merge(store: Store, gone: str, stays: str) -> None:
    with store.write() as conn:
        joining.merge(conn, LATER, gone, stays, "li", "同一起", RULES)
    holds(store, LATER)


def two(store: Store) -> tuple[str, str]:
    """The incident that goes and the one that stays."""
    return opened(store, RULES), opened(store, RULES)


def reviewed(store: Store, incident: str) -> str:
    """A draft whose first step of three waits for its signature."""
    steps, _ = asked(
        chain_of(CHAIN, ("保密审查",), False),
        {"1": "li", "2": "zhao", "3": "zhou", "c1": "zhou"},
        ("chen",),
        ("li", "zhao", "zhou"),
    )
    with store.write() as conn:
        sid = statements.draft(conn, MIDNIGHT, incident, DRAFT, "chen", "拟稿")
        reviewing.submit(conn, MIDNIGHT, sid, Handed(steps), "chen", "送审")
    return sid


def settle(store: Store, incident: str, wants: Sequence[Want], at: datetime = MIDNIGHT) -> int:
    with store.write() as conn:
        entries = tasks.settling(conn, at, incidents.get(conn, incident), wants, THIS_YEAR)
        append(conn, at, entries)
    return len(entries)


def assign(store: Store, incident: str, **units: PartyRole) -> None:
    asks = [Ask(unit, role, ("chen",)) for unit, role in units.items()]
    with store.write() as conn:
        parties.assign(conn, MIDNIGHT, incident, asks, "li", "属地管理")


def claim(store: Store, incident: str, unit: str) -> None:
    with store.write() as conn:
        parties.claim(conn, LATER, incident, unit, Caller("li", (unit,), 2), "接办", str)


def part(store: Store, incident: str) -> dict[str, tuple[str, str]]:
    """unit → role and state."""
    with store.read() as conn:
        return {one.unit: (one.role, one.state) for one in parties.of(conn, incident)}


def running(store: Store, incident: str) -> list[str]:
    """The names of the work's own limits that run."""
    with store.read() as conn:
        return [row.name for row in limits.live(conn, incident)]


def todo(store: Store, incident: str) -> dict[str, tuple[str, str | None]]:
    """name → state and result."""
    with store.read() as conn:
        return {row.name: (row.state, row.result) for row in tasks.of(conn, incident)}


# ── what was made ─────────────────────────────────────────────────────────────────────────────


def test_what_was_written_booked_released_and_registered_belongs_to_the_incident_that_stays(
    store: Store,
) -> None:
    gone, stays = two(store)
    booking = meetings.Booking(MeetingKind.PRESS_CONFERENCE, MIDNIGHT + 10 * HOUR, "新闻发布厅")
    new = New(Register.MEDIA, "采访", MIDNIGHT, "登记", incident_id=gone, details={"outlet": "临江日报"})
    with store.write() as conn:
        meetings.book(conn, MIDNIGHT, gone, booking, "chen", "预约")
        stages.write(conn, MIDNIGHT, gone, ProductKind.COLLECTED, "园区起火", "chen", "汇总")
        entry = registers.add(conn, MIDNIGHT, new, "chen", THIS_YEAR)
    merge(store, gone, stays)
    with store.read() as conn:
        assert registers.get(conn, entry).incident_id == stays
        assert stages.made(conn, stays) == {ProductKind.COLLECTED}
        assert [len(meetings.of_incident(conn, one)) for one in (gone, stays)] == [0, 1]
    assert (len(running(store, gone)), len(running(store, stays))) == (0, 1)


def test_a_release_goes_along_with_its_proof(store: Store) -> None:
    gone, stays = two(store)
    sid = reviewed(store, gone)
    published = Published(Outlet.WEBSITE, LATER, "https://www.example.gov.cn/1")
    with store.write() as conn:
        digest = statements.get(conn, sid).sha256
        for by, step in (("li", "1"), ("zhao", "2"), ("zhou", "3"), ("zhou", "c1")):
            reviewing.sign(conn, MIDNIGHT, sid, step, digest, Verdict.PASSED, by, "同意")
        releases.register(conn, LATER, sid, published, "chen", "", "临江市政府办公室", RULES)
    merge(store, gone, stays)
    with store.read() as conn:
        for table in (captures.EVIDENCE, releases.RELEASE, statements.STATEMENT):
            assert set(conn.execute(select(table.c.incident_id)).scalars()) == {stays}


def test_the_merger_is_one_entry_and_a_limit_goes_on_with_its_next_step(store: Store) -> None:
    gone, stays = two(store)
    sid = reviewed(store, gone)
    raised(store, MIDNIGHT)
    with store.read() as conn:
        before = conn.execute(select(JOURNAL.c.seq)).scalars().all()
    merge(store, gone, stays)
    with store.read() as conn:
        kinds = conn.execute(select(JOURNAL.c.kind).where(JOURNAL.c.seq > before[-1])).scalars().all()
    assert kinds == ["incidents_merged"]
    said = [step for step in raised(store, LATER) if step.startswith("review.")]
    assert said == [f"review.{sid}.1 50%"]


def test_the_limit_of_a_stage_ends_with_its_incident(store: Store) -> None:
    gone, stays = two(store)
    mover = Mover("li", 2, 4)
    with store.write() as conn:
        stages.move(
            conn, MIDNIGHT, gone, Stage.CONSULT, mover, "退回", within=timedelta(hours=2), people=("chen",)
        )
    assert running(store, gone) == ["会商阶段"]
    merge(store, gone, stays)
    assert running(store, gone) == running(store, stays) == []
    with store.read() as conn:
        clocks = conn.execute(select(CLOCK).where(CLOCK.c.incident_id == gone)).all()
    assert {(row.state, row.ended_reason) for row in clocks} == {("superseded", f"并入 舆-{stays}")}


# ── who is responsible ────────────────────────────────────────────────────────────────────────


def test_a_lead_comes_along_beside_the_lead_that_is_there(store: Store) -> None:
    gone, stays = two(store)
    assign(store, gone, gas=LEAD, fire=CO, office=COORDINATOR)
    assign(store, stays, police=LEAD)
    merge(store, gone, stays)
    assert part(store, gone) == {}
    assert part(store, stays) == {
        "police": ("lead", "asked"),
        "gas": ("co", "asked"),
        "fire": ("co", "asked"),
        "office": ("coordinator", "claimed"),
    }
    assert sorted(running(store, stays)) == ["协办单位认领", "协办单位认领", "牵头单位认领"]
    claim(store, stays, "gas")
    assert sorted(running(store, stays)) == ["协办单位认领", "牵头单位认领"]
    with store.read() as conn:
        assert incidents.get(conn, stays).owner == "police"
    holds(store, LATER)


def test_a_lead_stays_one_where_nobody_leads(store: Store) -> None:
    gone, stays = two(store)
    assign(store, gone, gas=LEAD)
    merge(store, gone, stays)
    claim(store, stays, "gas")
    assert part(store, stays) == {"gas": ("lead", "claimed")}
    with store.read() as conn:
        assert incidents.get(conn, stays).owner == "gas"
    holds(store, LATER)


def test_what_the_staying_incident_leaves_open_is_told_by_the_other_of_the_same_grade(store: Store) -> None:
    gone = opened(store, RULES, kind=OpinionKind.FALSE_INFO)
    stays = opened(store, RULES)
    with store.write() as conn:
        conn.execute(
            incidents.INCIDENT.update()
            .where(incidents.INCIDENT.c.id == gone)
            .values(owner="police", event_type="accident", domain="school_food")
        )
        joining.merge(conn, LATER, gone, stays, "li", "同一起", RULES)
        row = incidents.get(conn, stays)
    assert (row.kind, row.event_type, row.domain, row.owner) == (
        "false_info",
        "accident",
        "school_food",
        "police",
    )


def test_what_the_staying_incident_knows_of_itself_it_keeps(store: Store) -> None:
    gone = opened(store, RULES, kind=OpinionKind.FALSE_INFO)
    stays = opened(store, RULES, kind=OpinionKind.HARDSHIP)
    merge(store, gone, stays)
    with store.read() as conn:
        assert incidents.get(conn, stays).kind == "hardship"


def test_an_owner_without_a_part_leads_too(store: Store) -> None:
    """What was split off names its owner and has asked nobody yet."""
    gone, stays = two(store)
    assign(store, gone, gas=LEAD)
    with store.write() as conn:
        conn.execute(
            incidents.INCIDENT.update().where(incidents.INCIDENT.c.id == stays).values(owner="police")
        )
        joining.merge(conn, LATER, gone, stays, "li", "同一起", RULES)
        assert incidents.get(conn, stays).owner == "police"
    assert part(store, stays) == {"gas": ("co", "asked")}


def test_a_unit_with_a_part_there_already_has_no_second_one(store: Store) -> None:
    gone, stays = two(store)
    assign(store, gone, gas=LEAD)
    assign(store, stays, police=LEAD, gas=CO)
    merge(store, gone, stays)
    assert part(store, gone) == {"gas": ("lead", "relieved")}
    assert part(store, stays) == {"police": ("lead", "asked"), "gas": ("co", "asked")}
    assert (running(store, gone), len(running(store, stays))) == ([], 2)


def test_who_rejected_stays_behind(store: Store) -> None:
    gone, stays = two(store)
    assign(store, gone, gas=LEAD)
    with store.write() as conn:
        parties.reject(conn, MIDNIGHT, gone, "gas", Caller("li", (), 2), "不属职责", str)
    merge(store, gone, stays)
    assert (part(store, gone), part(store, stays)) == ({"gas": ("lead", "rejected")}, {})


# ── what is to be done ────────────────────────────────────────────────────────────────────────


def add(store: Store, incident: str, name: str, **how: object) -> str:
    with store.write() as conn:
        return tasks.add(conn, MIDNIGHT, incident, name, "chen", "会商", **how)  # type: ignore[arg-type]


def test_tasks_of_people_go_along_and_those_of_playbooks_are_dropped(store: Store) -> None:
    gone, stays = two(store)
    settle(store, gone, (CALL,))
    settle(store, stays, (CLARIFY, CALL))
    add(store, gone, "核对伤亡", unit="gas", evidence=EvidenceKind.REPORT_RECEIPT)
    done = add(store, gone, "到场")
    with store.write() as conn:
        tasks.done(conn, MIDNIGHT, tasks.find(conn, gone, done), "chen", "已到")
    merge(store, gone, stays)
    why = f"随并入 舆-{stays}"
    assert todo(store, gone) == {
        "与媒体联系": ("dropped", why), "核对伤亡": ("dropped", why), "到场": ("done", "已到"),
    }  # fmt: skip
    assert todo(store, stays) == {
        "及时回应": ("open", None), "与媒体联系": ("open", None), "核对伤亡": ("open", None),
    }  # fmt: skip
    with store.read() as conn:
        moved = tasks.find(conn, stays, "3")
    assert (moved.name, moved.unit, moved.evidence) == ("核对伤亡", "gas", "report_receipt")
    assert (moved.created_by, moved.reason) == ("chen", "会商")


def test_what_was_dropped_with_the_merger_does_not_open_again(store: Store) -> None:
    gone, stays = two(store)
    add(store, gone, "核对伤亡")
    merge(store, gone, stays)
    assert settle(store, gone, (), LATER) == 0


def test_a_key_that_both_have_is_a_fresh_one(store: Store) -> None:
    gone, stays = two(store)
    review = Want("aftermath:own", "复盘材料", "复盘")
    settle(store, gone, (review,))
    settle(store, stays, (review,))
    merge(store, gone, stays)
    with store.read() as conn:
        keys = [task.key for task in tasks.of(conn, stays)]
    assert (len(keys), len(set(keys))) == (2, 2)


def test_a_task_that_is_urged_is_urged_once(store: Store) -> None:
    gone, stays = two(store)
    add(store, gone, "核对伤亡", unit="gas", due=MIDNIGHT + HOUR / 2)
    with store.write() as conn:
        assert len(supervising.propose(conn, LATER, LATER + HOUR, "office")) == 1
    merge(store, gone, stays)
    with store.write() as conn:
        assert supervising.propose(conn, LATER, LATER + HOUR, "office") == []


# ── onward, and apart ─────────────────────────────────────────────────────────────────────────


def test_a_second_merger_takes_all_of_it_on(store: Store) -> None:
    first, second = two(store)
    third = opened(store, RULES)
    reviewed(store, first)
    assign(store, first, gas=LEAD)
    add(store, first, "核对伤亡")
    merge(store, first, second)
    merge(store, second, third)
    assert part(store, third) == {"gas": ("lead", "asked")}
    assert todo(store, third) == {"核对伤亡": ("open", None)}
    assert sorted(running(store, third)) == ["保密审查 火灾通报", "初审 火灾通报", "牵头单位认领"]
    with store.read() as conn:
        live = conn.execute(select(CLOCK.c.incident_id).where(CLOCK.c.state.in_(LIVE))).scalars()
        assert set(live) == {third}


def judgement(number: int, incident: str) -> dict[str, Any]:
    return {
        "signal_id": number, "at": iso(MIDNIGHT), "sentiment": "negative", "sentiment_score": 0.1, "topic": "safety",
        "topic_margin": 0.5, "rumour": 0.0, "concern": 0.9, "flagged": True, "grade": "II", "facts": {},
        "grade_parts": [], "reasons": [], "versions": {}, "cluster": f"c{number}", "incident_id": incident,
    }  # fmt: skip


def test_a_split_leaves_all_work_with_the_incident_that_it_was_split_from(store: Store) -> None:
    incident = opened(store, RULES)
    sid = reviewed(store, incident)
    assign(store, incident, gas=LEAD)
    add(store, incident, "核对伤亡")
    before = running(store, incident)
    rows = [judgement(1, incident), judgement(2, incident)]
    change = {"incident": [{"id": incident, "signal_count": 2}]}
    entry = Entry("signals_judged", {"insert": {"judgement": rows}, "update": change}, "huiying")
    with store.write() as conn:
        append(conn, MIDNIGHT, [entry])
        apart = joining.split(conn, LATER, incident, [1], "另一起", "li", "误并", RULES)
        assert statements.get(conn, sid).incident_id == incident
        assert incidents.get(conn, apart).owner == "gas"
    assert (running(store, apart), part(store, apart), todo(store, apart)) == ([], {}, {})
    assert (running(store, incident), len(part(store, incident)), len(todo(store, incident))) == (
        before,
        1,
        1,
    )
    holds(store, LATER)
