"""The proof: a province at work, its parts killed one after the other, and what is true afterwards.

`prove(Size(…), folder)` gives the report; nothing is asserted here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from support import figures
from support.feeder import Feeder
from support.figures import percentile
from support.inquest import inquest, tally
from support.looker import Looker
from support.province import Province
from support.voices import Stream
from support.waiting import until

KILLS = (
    (0.10, "sweep-1", 1.0), (0.20, "sort-1", 1.0), (0.30, "broker", 3.0), (0.45, "sweep-2", 1.0),
    (0.55, "database", 5.0), (0.70, "prefect", 3.0), (0.75, "sort-2", 1.0), (0.80, "prefect-side", 1.0),
    (0.85, "console", 1.0), (0.90, "cable", 8.0),
)  # fmt: skip
"""After which share of the messages what is killed, and for how many seconds it is left dead at the least."""
FED_S = 4 * 3600.0


@dataclass(frozen=True, slots=True)
class Size:
    """`rate` in messages/s. `starting_s`: how long the parts may take to be at work. `kills`: which of KILLS happen;
    all of them where it is empty."""

    signals: int
    clocks: int
    rate: float
    burst: int = 100
    block: int = 1000
    kills: tuple[str, ...] = ()
    prefect: bool = True
    starting_s: float = 30.0

    @property
    def seconds(self) -> float:
        return self.signals / self.rate

    def deaths(self, parted: bool) -> set[str]:
        """What is to die; the cable only where it joins two machines."""
        named = set(self.kills) or {what for _, what, _ in KILLS}
        return named if parted else named - {"cable"}


def prove(size: Size, folder: Path, say: Callable[[str], object] = str) -> dict[str, Any]:
    with Province(folder, prefect=size.prefect, stream=Stream(block=size.block)) as province:
        first = province.ready_at(size.clocks, size.starting_s)
        province.lay(size.clocks, first, size.seconds, size.burst)
        say(
            f"{province.laid:,} clocks laid in {province.laid_s:.0f} s; two machines: {province.cable.parted}"
        )
        province.start()
        _wait_until(first.timestamp())
        with province.feed(size.signals, size.rate) as feeder, Looker(province.url) as looker:
            fed = time.monotonic()
            peaks = _kill_in_turn(province, feeder, size, say)
            feeder.wait(FED_S)
            fed_s = time.monotonic() - fed
            say(
                f"all {size.signals:,} messages are in Kafka after {fed_s:.0f} s; left: {province.rest(size.signals)}"
            )
            done = province.settle(size.signals)
            settled_s = time.monotonic() - fed
        _note_memory(province, peaks)
        codes = province.stop()
        say(f"settled after {settled_s:.0f} s; exit codes {codes}")
        found = inquest(province, size.signals, done, feeder.times())
        return found | {
            "size": asdict(size) | {"two machines": province.cable.parted},
            "seconds": {
                "laying the clocks": round(province.laid_s, 1), "feeding": round(fed_s, 1),
                "until all was done": round(settled_s, 1),
            },
            "signals per second": {"fed": size.signals / fed_s, "done": size.signals / settled_s},
            "killed": _killed(province, first.timestamp()),
            "started again by the keeper": {name: part.restarts for name, part in province.parts.items()},
            "sent again to the broker": {"messages": feeder.repeated},
            "board": {
                "looks": len(looker.statuses), "answers": tally(looker.statuses),
                "p50 ms": _ms(looker, 0.5), "p99 ms": _ms(looker, 0.99),
            },
            "memory, most, MB": {name: round(most) for name, most in peaks.items()},
            "machine": figures.machine(),
        }  # fmt: skip


def _killed(province: Province, began: float) -> dict[str, dict[str, float]]:
    """When each was killed after the first message, and how long it was away, in seconds."""
    return {
        f"{n} {one.what}": {"at s": round(one.since - began, 1), "away s": round(one.until - one.since, 1)}
        for n, one in enumerate(province.outages, 1)
    }


def _ms(looker: Looker, share: float) -> float:
    return round(percentile(looker.ms, share), 1) if looker.ms else 0.0


def _wait_until(moment: float) -> None:
    while time.time() < moment:
        time.sleep(0.05)


def _kill_in_turn(
    province: Province, feeder: Feeder, size: Size, say: Callable[[str], object]
) -> dict[str, float]:
    """Each at its share of the stream; the most memory of each part until then."""
    peaks: dict[str, float] = {}
    for share, what, away_s in KILLS:
        if not _happens(what, size, province):
            continue
        until(
            lambda share=share: feeder.sent >= share * size.signals,  # type: ignore[misc]
            feeder.words, alive=feeder.alive, patience_s=FED_S,
        )  # fmt: skip
        _note_memory(province, peaks)
        say(f"{feeder.sent:,} sent; left to do: {province.rest(feeder.sent)}; now dies: {what}")
        province.kill(what)
        time.sleep(away_s)
        province.revive(what)
    return peaks


def _happens(what: str, size: Size, province: Province) -> bool:
    there = what in province.parts or what in ("broker", "database")
    there = there or (what == "prefect" and size.prefect) or (what == "cable" and province.cable.parted)
    return there and (not size.kills or what in size.kills)


def _note_memory(province: Province, peaks: dict[str, float]) -> None:
    for name, megabytes in province.memory().items():
        peaks[name] = max(megabytes, peaks.get(name, 0.0))
