"""Weeks of the site in minutes, and memory that stays flat: `make soak`, `make soak DAYS=60 DAY_S=30`.

`ENGINE=postgresql` for the other engine. The report is kept in tests/output/soak.json.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path

from support import postgres
from support.soaking import Soak, soak

OUT = Path(__file__).parents[1] / "output"
MOST_GROWN = 10.0
"""Percent over the days after the warm-up, by the fitted line: more than that goes on growing."""

KNOWN_ALARMS = {"refused"}
"""Weeks that go on into a year without a calendar cannot set the clocks of working days there, and say so."""


def test_memory_is_flat_over_weeks_of_the_site(tmp_path: Path) -> None:
    what = Soak(days=int(os.environ.get("DAYS") or 22), day_s=float(os.environ.get("DAY_S") or 14))
    with ExitStack() as stack:
        database = None
        if os.environ.get("ENGINE") == "postgresql":
            database = stack.enter_context(postgres.server()).database()
        report = soak(what, tmp_path, database, _say)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "soak.json").write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
    for name, slope in report["slopes"].items():
        _say(f"{name}: " + ", ".join(f"{what} {value}" for what, value in slope.items()))
    _say(f"{report['counts']}; alarms {report['alarms']}")
    assert {"huiying run", "Prefect side", "Prefect server"} <= report["slopes"].keys()
    assert report["refused"] == []
    assert report["alarms"].keys() <= KNOWN_ALARMS
    assert report["verify"]["ok"], report["verify"]["findings"]
    assert {name: one for name, one in report["slopes"].items() if one["grown %"] > MOST_GROWN} == {}


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()
