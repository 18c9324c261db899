"""A playbook's grade rule raises the provisional grade of what the machine opens, and says so."""

from __future__ import annotations

from pathlib import Path

from support.river_site import river

OWN = """\
id: watched
name: 重点盯办
trigger: {when: medium == "news"}
grades:
  - {when: medium == "news", at_least: II, proposal: 本单位的做法}
"""
TITLE = "江东化工园区澜港公司发生爆炸"
TOLD = "21日零时许，江东化工园区澜港公司一车间发生爆炸，3人受轻伤，已送医。"


def test_what_a_playbook_asks_for_at_least_is_the_provisional_grade(
    tmp_path: Path, database_url: str
) -> None:
    folder = tmp_path / "site" / "playbooks"
    folder.mkdir(parents=True)
    (folder / "watched.yaml").write_text(OWN, encoding="utf-8")
    with river(tmp_path, database_url) as site:
        site.say("news", TITLE, TOLD)
        site.until("00:01")
        (incident,) = site.desk.board()["incidents"]
        assert (incident["grade"], incident["provisional"]) == ("II", True)
        shown = site.desk.incident(incident["id"])
        assert shown is not None
        reasons = [part["reason"] for part in shown["grade_parts"]]
        assert "不低于重大(II):预案“重点盯办”的定级规则(建议)" in reasons
        assert site.verified()


def test_without_such_a_rule_the_same_news_is_ordinary(tmp_path: Path, database_url: str) -> None:
    with river(tmp_path, database_url) as site:
        site.say("news", TITLE, TOLD)
        site.until("00:01")
        (incident,) = site.desk.board()["incidents"]
        assert incident["grade"] == "IV"
