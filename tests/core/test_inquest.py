"""The judge of the proof (`make proof`) finds what is wrong: planted wrongs, counted."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from support.inquest import first_alerts, lateness, of_matters
from support.province import Outage
from support.sizing import Measured, sizing
from support.voices import Stream, names_of
from support.witness import Taken

AT = datetime(2026, 11, 21, tzinfo=UTC)
WELL = {
    "matters_missing": 0,
    "voices_without_incident": 0,
    "incidents_split": 0,
    "matters_in_one_incident": 0,
}


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ([("甲县", "1"), ("甲县", "1"), ("乙县", "2")], {}),
        ([("甲县", "1"), ("甲县", "3"), ("乙县", "2")], {"incidents_split": 1}),
        ([("甲县", "1"), ("乙县", "1")], {"matters_in_one_incident": 1}),
        ([("甲县", "1"), ("甲县", None), ("乙县", "2")], {"voices_without_incident": 1}),
        ([("甲县", "1")], {"matters_missing": 1}),
    ],
    ids=["all well", "a split", "two in one", "a voice that is nowhere", "a matter that is lost"],
)
def test_a_matter_is_one_incident_or_it_is_counted_as_wrong(
    told: list[tuple[str, str | None]], wrong: dict[str, int]
) -> None:
    assert of_matters(told, 2) == WELL | wrong


def test_steps_that_fell_due_while_the_database_was_away_are_told_apart() -> None:
    away = [Outage("database", 100.0, 120.0), Outage("broker", 200.0, 300.0)]
    found = lateness([(10.0, 10.5), (110.0, 121.0), (129.0, 131.0), (250.0, 250.2)], away)
    assert found["database there"] == {"steps": 2, "p50": 0.2, "p99": 0.5, "worst": 0.5}
    assert found["database away"] == {"steps": 2, "p50": 2.0, "p99": 11.0, "worst": 11.0}


def test_a_stream_tells_of_each_grave_matter_as_often_as_it_says_and_in_other_words() -> None:
    stream = Stream(block=100, voices=5, later=2)
    messages = [(stream.matter_of(n), stream.message(n, AT)[1]) for n in range(1000)]
    told = Counter(matter[0] for matter, _ in messages if matter)
    assert [told[matter] for matter in range(10)] == [10] * 8 + [5] * 2
    titles = {message["title"] for matter, message in messages if matter and matter[0] == 0}
    assert len(titles) == 4
    assert all(names_of(0)[0] in title for title in titles)


def test_no_everyday_message_names_a_county_and_no_two_have_one_number() -> None:
    stream = Stream(block=100)
    messages = [(stream.matter_of(n), stream.message(n, AT)[1]) for n in range(2000)]
    assert not any(
        "县" in message["title"] + message["body"] for matter, message in messages if matter is None
    )
    assert len({message["id"] for _, message in messages}) == 2000


def test_the_first_alert_of_a_matter_is_the_earliest_of_all_about_it() -> None:
    county = names_of(3)[0]
    log = {
        "a": Taken(12.0, 1, ("r",), ("t",), f"{county}客车翻车"),
        "b": Taken(11.0, 2, ("s",), ("u",), f"刚刚，{county}客车翻车"),
        "c": Taken(9.0, 1, ("v",), ("w",), "第 7 号在办事项"),
    }
    assert first_alerts(log, {3: 10.0}) == {3: 11.0}


def test_the_sizing_follows_from_its_figures() -> None:
    needs = dict(sizing(Measured(1_000.0, 1_200.0, 2, 2_000.0, {"sort-1": 500.0, "sweep-1": 200.0})))
    assert needs["mean"].endswith("= 24 signals/s")
    assert needs["to be borne"].endswith("= 238/s")
    assert needs["workers that judge"].endswith(": 2")
    assert needs["disk"].endswith("1.5 TB a year, before archiving")
