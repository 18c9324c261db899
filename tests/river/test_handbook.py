"""What the handbooks say against what the program is: lists that would otherwise grow old."""

from __future__ import annotations

import re
from pathlib import Path

from connectors.console.desk import ACTS
from flows.commands.serving import worker
from flows.duty import DUTIES
from flows.office.coverage import PARTS
from support.cli import Cli

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


def test_the_documented_split_deployment_runs_every_duty() -> None:
    text = (DOCS / "运维.md").read_text(encoding="utf-8")
    split = text[text.index("分开运行") : text.index("同一项工作靠数据库里的租约")]
    named = [name for line in re.findall(r"`huiying worker ([^`]+)`", split) for name in line.split()]
    assert sorted(named) == sorted(DUTIES)


def test_the_board_names_a_silent_duty_whichever_it_is() -> None:
    assert PARTS.keys() == DUTIES.keys()


def test_the_worker_lists_every_duty_in_its_help(tmp_path: Path) -> None:
    shown = Cli(tmp_path)("worker", "--help").out
    assert all(name in shown for name in DUTIES), shown
    assert worker.__doc__


def test_the_documentation_of_the_api_names_every_act(tmp_path: Path) -> None:
    from connectors.console.app import build
    from support.fake_desk import FakeDesk

    paths = build(FakeDesk()).openapi()["paths"]
    said = paths["/api/v1/incidents/{incident_id}/acts/{name}"]["post"]["description"]
    assert all(f"`{name}` {zh}" in said for name, zh in ACTS.items() if name != "open"), said
