"""The proof of a province (`make proof`) in small: two machines, real parts, each killed once, the laws whole."""

from __future__ import annotations

import os
from pathlib import Path

from support.missing import missing
from support.postgres import Missing
from support.proving import Size, prove

SMALL = Size(
    signals=1_600,
    clocks=200,
    rate=200,
    burst=4,
    block=60,
    kills=("sort-1", "broker", "database", "cable"),
    prefect=False,
    starting_s=10.0,
)


def test_a_small_province_on_two_machines_keeps_the_laws_while_its_parts_are_killed(
    tmp_path: Path,
) -> None:
    if os.environ.get("HUIYING_TEST_POSTGRES"):
        missing("HUIYING_TEST_POSTGRES names a server that is not ours to kill")
    try:
        report = prove(SMALL, tmp_path)
    except Missing as why:
        missing(str(why))
    assert report["broken"] == {}, report["verify"]["findings"]
    assert {name.split()[1] for name in report["killed"]} == SMALL.deaths(report["size"]["two machines"])
    assert report["figures"]["signals"] == SMALL.signals
    assert report["figures"]["accepted"] > SMALL.clocks
