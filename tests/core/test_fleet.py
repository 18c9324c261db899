"""What is wrong among the processes of a site, by what each last said of itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from models.core.fleet import Needs, Seen, troubles
from models.core.moment import CST

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=CST)
BOTH = Needs(frozenset({"respond", "deliver"}), schema="0005")


def process(
    host: str = "a", pid: int = 1, duties: tuple[str, ...] = ("respond", "deliver"), **said: Any
) -> Seen:
    told: dict[str, Any] = {
        "version": "1.0",
        "schema_version": "0005",
        "started_at": NOW,
        "beat_at": NOW,
    } | said
    return Seen(f"{host}:{pid}", host, pid, "worker", duties, **told)


def keys(fleet: list[Seen], needs: Needs = BOTH, pace: float = 1.0) -> list[str]:
    return [one.key for one in troubles(fleet, needs, NOW, pace)]


def test_nothing_is_said_of_processes_that_are_well_nor_where_nobody_ever_spoke() -> None:
    assert keys([process("a"), process("b", 2)]) == []
    assert keys([]) == []


def test_a_machine_that_fell_silent_is_named_and_what_nobody_else_does_is_grave() -> None:
    gone = process("b", 2, beat_at=NOW - timedelta(minutes=2))
    (only,) = troubles([process("a"), gone], BOTH, NOW)
    assert (only.key, only.grave) == ("silent:b:2", False)
    assert "b 的 worker(pid 2)" in only.words
    assert "--forget b:2" in only.mend
    first, second = troubles([process("a", duties=("respond",)), gone], BOTH, NOW)
    assert first.grave and "deliver 没有别的进程在做" in first.words
    assert second.key == "undone" and second.grave


def test_in_a_demonstration_a_minute_of_the_site_is_no_silence() -> None:
    gone = process("b", 2, beat_at=NOW - timedelta(minutes=2))
    assert keys([gone], pace=1440.0) == []


def test_a_duty_that_a_silent_stranger_does_is_done() -> None:
    """A process of an older release says nothing of itself; its work shows."""
    needs = Needs(frozenset({"respond", "audit"}), good=frozenset({"audit"}), schema="0005")
    assert keys([process()], needs) == []


def test_two_versions_at_once_are_named_and_one_behind_the_database_too() -> None:
    (only,) = troubles([process("a"), process("b", 2, version="1.1")], BOTH, NOW)
    assert only.key == "versions" and "1.0: a" in only.words and "1.1: b" in only.words
    assert keys([process("a", schema_version="0004")]) == ["schema"]


def test_a_clock_that_is_off_says_which_way() -> None:
    (fast,) = troubles([process(offset_ms=5_000)], BOTH, NOW)
    (slow,) = troubles([process(offset_ms=-5_000)], BOTH, NOW)
    assert "快" in fast.words and "慢" in slow.words
    assert keys([process(offset_ms=900)]) == []


def test_a_pool_nearly_used_up_a_full_disk_and_a_neighbour_out_of_reach_are_named() -> None:
    one = process(
        pool_used=23, pool_size=24, disks={"/var": 2**29}, reach={"prefect": "refused", "kafka": ""}
    )
    assert keys([one]) == ["disk:a:/var", "pool:a:1", "reach:a:prefect"]


def test_where_it_matters_clocks_on_one_machine_alone_are_a_word() -> None:
    spread = Needs(frozenset({"respond", "deliver"}), spread=True)
    assert keys([process("a"), process("a", 2)], spread) == ["alone"]
    assert keys([process("a"), process("b", 2)], spread) == []
