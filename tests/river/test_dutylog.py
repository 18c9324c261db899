"""The log of duty over a whole site: what a shift did, notes for good, a signature from above, the file."""

from __future__ import annotations

import dataclasses
import io
from datetime import time, timedelta
from zipfile import ZipFile

import pytest

from connectors.console.desk import Refusal, Unknown
from flows.telling.handover import hand_over
from models.core.roster import Roster, Rotation, Rung, Shift
from models.core.vocabulary import Grade, Role, StartEvent
from models.ledger.acts import Opening, open_incident
from support.river_site import Site, at

DAYTIME, NIGHT = time(8), time(20)


def rostered(site: Site) -> Roster:
    """chen by day and zhao by night on rung 1, the others as they are."""
    known = site.house.site.roster
    turn = Rotation(("chen",), timedelta(days=1), at("08:00"))
    shifts = (Shift(DAYTIME, NIGHT, rotation=turn), Shift(NIGHT, DAYTIME, ("zhao",)))
    first = Rung(1, Role.DUTY_OFFICER, shifts=shifts)
    made = dataclasses.replace(known, ladder=(first, *known.ladder[1:]))
    site.house.site = dataclasses.replace(site.house.site, roster=made)
    return made


def night(site: Site) -> str:
    """A day's work: an incident, what was done about it, a word for those who come on."""
    rostered(site)
    site.time.moment = at("09:00")
    hand_over(site.house)
    incident = str(site.desk.act("open", "", {"title": "化工园区火灾", "grade": "II"}, "chen")["id"])
    site.desk.act("ack", incident, {}, "chen")
    site.time.moment = at("10:00")
    site.desk.act("update", incident, {"text": "明火已扑灭"}, "chen")
    return incident


def test_a_shift_says_who_was_there_what_came_and_what_was_done_when(site: Site) -> None:
    incident = night(site)
    site.time.moment = at("20:10")
    hand_over(site.house)
    day, late = site.desk.dutylog.log()["shifts"]
    assert (day["people"], late["people"]) == (["陈值班"], ["赵副"])
    assert (day["over"], late["over"]) == (True, False)
    assert [one["id"] for one in day["counts"]["opened"]] == [incident]
    done = {(one["at"][11:16], one["kind"]): one for one in day["lines"]}
    assert done["10:00", "progress_noted"]["text"] == "明火已扑灭"
    assert done["09:00", "acknowledged"]["by"] == "陈值班"
    assert "clocks_planned" not in {one["kind"] for one in day["lines"]}
    assert [one["kind"] for one in late["lines"]] == ["handover_written"]
    assert late["handover"]["accepted_at"] is None
    assert day["more"] == 0


def test_a_note_stays_and_one_written_after_the_signature_says_so(site: Site) -> None:
    night(site)
    site.desk.dutylog.act("note", {"text": "记者 23 点再来电，电话 13812345678"}, "chen")
    site.time.moment = at("20:30")
    with pytest.raises(Refusal, match="不能签自己的日志"):
        site.desk.dutylog.act("sign", {"shift": "20261121T080000"}, "chen")
    with pytest.raises(Refusal, match="才结束"):
        site.desk.dutylog.act("sign", {"shift": "20261121T200000"}, "li")
    shown = site.desk.dutylog.act("sign", {"shift": "20261121T080000", "reason": "已阅，注意续报"}, "li")
    assert shown["shifts"][0]["signed"]["by"] == "李主任"
    with pytest.raises(Refusal, match="已由 李主任 签字"):
        site.desk.dutylog.act("sign", {"shift": "20261121T080000"}, "zhou")
    shown = site.desk.dutylog.act("note", {"text": "补记：现场照片已存", "shift": "20261121T080000"}, "chen")
    notes = shown["shifts"][0]["notes"]
    assert [one["after"] for one in notes] == [False, True]
    assert "13812345678" not in notes[0]["text"]
    assert site.verified()


@pytest.mark.parametrize(
    ("name", "params", "error"),
    [
        ("note", {"text": "  "}, Refusal),
        ("note", {"text": "字" * 2001}, Refusal),
        ("note", {"text": "x", "shift": "20261121T090000"}, Unknown),
        ("note", {"text": "x", "shift": "20261122T080000"}, Refusal),
        ("note", {"text": "x", "shift": "yesterday"}, Unknown),
        ("erase", {}, Unknown),
    ],
)
def test_what_does_not_belong_into_a_log_is_refused_in_words(
    site: Site, name: str, params: dict[str, str], error: type[Exception]
) -> None:
    night(site)
    with pytest.raises(error):
        site.desk.dutylog.act(name, params, "chen")


def test_a_day_that_is_none_or_has_not_come_is_refused(site: Site) -> None:
    night(site)
    for wrong in ("2026-13-01", "yesterday", "2026-11-22", "1999-01-01", "２０２６-11-21"):
        with pytest.raises(Refusal):
            site.desk.dutylog.log(wrong)
    assert site.desk.dutylog.log("2026-11-20")["after"] == "2026-11-21"


def test_the_log_is_a_word_file_and_a_text_with_the_same_words(site: Site) -> None:
    night(site)
    site.desk.dutylog.act("note", {"text": "记者 23 点再来电"}, "chen")
    site.time.moment = at("20:30")
    site.desk.dutylog.act("sign", {"shift": "20261121T080000"}, "li")
    text = site.desk.reports.file("dutylog", "md", {"period": "2026-11-21"}).content.decode()
    for words in ("值班日志", "陈值班", "明火已扑灭", "记者 23 点再来电", "带班签字：李主任", "（未签）"):
        assert words in text
    made = site.desk.reports.file("dutylog", "docx", {"period": "2026-11-21"})
    with ZipFile(io.BytesIO(made.content)) as parts:
        document = parts.read("word/document.xml").decode()
    assert "明火已扑灭" in document
    assert made.name == "值班日志-2026-11-21.docx"
    with pytest.raises(Refusal, match="最多写 31 天"):
        site.desk.reports.file("dutylog", "md", {"period": "2026-Q4"})


def test_a_flood_of_incidents_is_counted_whole(site: Site) -> None:
    night(site)
    now = site.time.now()
    with site.house.store.write() as conn:
        for n in range(301):
            about = Opening(f"积水 {n}", Grade.IV, {StartEvent.DISCOVERY: now}, "chen", "群众来电")
            open_incident(conn, now, about, lambda _: ())
    (day,) = site.desk.dutylog.log()["shifts"]
    assert len(day["counts"]["opened"]) == 302


@pytest.mark.parametrize("shift", ["99991231T000000", "20991121T080000", "20260230T080000"])
def test_a_shift_that_no_roster_reaches_is_refused_in_words(site: Site, shift: str) -> None:
    night(site)
    with pytest.raises(Unknown, match="没有编号为"):
        site.desk.dutylog.act("note", {"text": "来电", "shift": shift}, "chen")


def test_a_hand_over_tells_what_changed_what_falls_due_and_what_waits(site: Site) -> None:
    incident = night(site)
    promise = {"due_at": at("23:00").isoformat(), "text": "23时前续报"}
    site.desk.meetings.act("promise", incident, promise, "li")
    site.time.moment = at("20:00")
    hand_over(site.house)
    (one,) = [one for one in site.desk.handover()["handovers"] if one["rung"] == 1][:1]
    left = one["summary"]
    assert (left["shift"]["since"][11:16], left["shift"]["until"][11:16]) == ("08:00", "20:00")
    assert [row["id"] for row in left["changed"]["opened"]] == [incident]
    assert [row["words"] for row in left["promises"]] == ["23时前续报"]
    due = {row["clock"] for hour in left["coming"]["hours"] for row in hour["limits"]}
    assert "承诺续报" in due
    hours = [hour["at"] for hour in left["coming"]["hours"]]
    assert hours == sorted(hours)
    assert all(
        at("20:00").isoformat() < row["due_at"] for hour in left["coming"]["hours"] for row in hour["limits"]
    )
    assert left["drafts"] == []
    assert site.verified()
