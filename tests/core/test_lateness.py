"""Why a clock is late: only what the rows say, the weightiest reason first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from models.core.lateness import Course, why_late
from models.core.moment import parse_iso

START = parse_iso("2026-11-21T02:00+08:00")
DUE = START + timedelta(hours=5)
KNOWN = Course(START, DUE, START + timedelta(minutes=3), START + timedelta(minutes=10), "陈值班", taken=4)
MOMENTS = st.timedeltas(timedelta(0), timedelta(hours=30)).map(lambda gone: START + gone)


def test_a_clock_that_nobody_took_says_so() -> None:
    assert why_late(replace(KNOWN, acked_at=None)) == ["没有人签收"]


def test_alerts_that_no_channel_took_are_said_before_that_nobody_took_it() -> None:
    found = why_late(replace(KNOWN, acked_at=None, taken=0, dead=3))
    assert found == ["提醒送不出去：3 条都没有送达", "没有人签收"]


def test_some_alerts_lost_are_not_called_all() -> None:
    assert why_late(replace(KNOWN, dead=1)) == ["有 1 条提醒没有送达"]


def test_an_incident_that_was_opened_past_the_limit_began_late() -> None:
    (found,) = why_late(replace(KNOWN, planned_at=DUE + timedelta(hours=1)))
    assert found == "开始得晚：起算后 6 小时才立案，那时已过时限"


def test_half_of_the_limit_gone_at_the_opening_is_a_reason_and_a_tenth_is_none() -> None:
    (found,) = why_late(replace(KNOWN, planned_at=START + timedelta(hours=3)))
    assert found == "开始得晚：起算后 3 小时才立案，时限已过去 60%"
    assert why_late(replace(KNOWN, planned_at=START + timedelta(minutes=30))) == [
        "陈值班已签收，还没有登记凭据"
    ]


def test_an_acknowledgement_past_the_limit_is_named_with_its_time() -> None:
    (found,) = why_late(replace(KNOWN, acked_at=DUE + timedelta(minutes=5)))
    assert found == "签收得晚：11-21 07:05 才签收，已过时限"


def test_steps_that_were_passed_over_while_the_system_stood_are_counted() -> None:
    assert "系统停过：越过了 2 次提醒" in why_late(replace(KNOWN, skipped=2))


def test_a_clock_that_only_asks_for_a_signature_does_not_ask_for_proof() -> None:
    assert why_late(replace(KNOWN, asks_ack=True)) == ["陈值班已签收，还没有办完"]


@given(
    planned=MOMENTS, acked=st.none() | MOMENTS, taken=st.integers(0, 5), dead=st.integers(0, 5),
    skipped=st.integers(0, 3),
)  # fmt: skip
def test_there_is_always_a_reason_and_never_two_of_a_kind(
    planned: object, acked: object, taken: int, dead: int, skipped: int
) -> None:
    course = replace(KNOWN, planned_at=planned, acked_at=acked, taken=taken, dead=dead, skipped=skipped)  # type: ignore[arg-type]
    found = why_late(course)
    assert found
    assert all(found)
    assert len({reason.partition("：")[0] for reason in found}) == len(found)
