"""site.yaml's registers and assessment, held against the law and the calendar in force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from playbooks.lint import lint
from support.sites import write_site

STRICTER = """\
id: compliance_calendar
name: 合规日历
version: 2
trigger: {when: false}
counters:
  - {id: weight_disclosure, name: 政务公开的权重, every: year, share: 6%, basis: [{doc: 临江市考核办法, article: "3"}]}
"""


def said(tmp_path: Path, playbook: str = "", **site: Any) -> list[str]:
    directory = write_site(tmp_path / "site", "http://127.0.0.1:9", site=site)
    if playbook:
        (directory / "playbooks").mkdir()
        (directory / "playbooks" / "compliance_calendar.yaml").write_text(playbook, encoding="utf-8")
    return [str(problem) for problem in lint([directory]) if not problem.warning]


@pytest.mark.parametrize(
    ("site", "words"),
    [
        (
            {"assessment": {"weights": {"website": "2%"}}},
            "不得低于 3%（海南省2016年政务公开工作要点 六(二)，S-120）",
        ),
        ({"assessment": {"weights": {"response": "1%"}}}, "不得低于 4%（国办发〔2016〕19号"),
        ({"assessment": {"complaint": -1}}, "应大于 0"),
        ({"registers": {"not_ours": ["water_quality_mouth"]}}, "是不是 “water_quality_month”"),
        ({"registers": {"answer_within": "三天"}}, "三天"),
    ],
)
def test_a_slip_is_named_with_its_line_and_the_way_out(
    tmp_path: Path, site: dict[str, Any], words: str
) -> None:
    (found,) = said(tmp_path, **site)
    assert words in found
    assert "site.yaml:" in found


def test_what_is_well_written_is_taken(tmp_path: Path) -> None:
    weights = {"response": "3%", "disclosure": "3%", "website": "4%"}
    assert (
        said(tmp_path, assessment={"weights": weights}, registers={"not_ours": ["water_quality_month"]}) == []
    )


def test_a_calendar_that_asks_for_more_than_the_law_is_heeded(tmp_path: Path) -> None:
    found = said(tmp_path, playbook=STRICTER, assessment={"weights": {"response": "2%", "disclosure": "3%"}})
    assert [one for one in found if "合计 5.0%，低于政务公开的权重 6.0%（临江市考核办法 3）" in one]
