"""A province at work while its parts die: `make proof`, `make proof SIGNALS=1000000 CLOCKS=100000 RATE=1000`.

The report is printed, and kept in tests/output/proof.json and proof.txt.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from support.inquest import in_words
from support.proving import Size, prove

OUT = Path(__file__).parents[1] / "output"


def test_a_province_keeps_the_laws_while_each_of_its_parts_is_killed(tmp_path: Path) -> None:
    size = _size()
    report = prove(size, tmp_path, _say)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "proof.json").write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
    (OUT / "proof.txt").write_text(in_words(report), encoding="utf-8")
    _say(in_words(report))
    assert {name.split()[1] for name in report["killed"]} == size.deaths(report["size"]["two machines"])
    assert report["broken"] == {}
    assert report["verify"]["ok"], report["verify"]["findings"]
    assert report["figures"]["signals"] == size.signals


def _size() -> Size:
    clocks = int(os.environ.get("CLOCKS") or 5_000)
    return Size(
        signals=int(os.environ.get("SIGNALS") or 30_000),
        clocks=clocks,
        rate=float(os.environ.get("RATE") or 300),
        burst=min(100, clocks // 50),
    )


def _say(words: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {words}\n")
    sys.stdout.flush()
