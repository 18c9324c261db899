"""Which clocks a machine may stop: what the playbook says, what a site may take back and never add."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from models.core.situation import Situation
from models.core.vocabulary import Grade, Medium
from playbooks.site import Site, load_site, survey

SITE = "name: 临江市政府办公室\n"
GRAVE = Situation(Grade.I, event_grade=Grade.I, confirmed=True)


def made(directory: Path, **files: str) -> Path:
    for name, text in {"site": SITE, **files}.items():
        (directory / f"{name}.yaml").write_text(text, encoding="utf-8")
    return directory


def auto(site: Site, situation: Situation = GRAVE) -> dict[str, bool]:
    return {rule.id: rule.auto for _, rule in site.library.rules(situation)}


def refusals(directory: Path) -> list[str]:
    return [str(each) for each in survey(directory, {})[1] if not each.warning]


def test_a_statement_may_stop_its_clock_by_itself_and_a_press_conference_may_not(tmp_path: Path) -> None:
    found = auto(load_site(made(tmp_path), {}))
    assert (found["first_statement"], found["press_conference"]) == (True, False)
    assert found["acknowledge"] is False


def test_a_site_may_ask_for_a_person_every_time(tmp_path: Path) -> None:
    ours = "id: our\nname: 我们\nclocks:\n  first_statement: {auto: false}\n"
    site = load_site(made(tmp_path, site=SITE + "profile: our.yaml\n", our=ours), {})
    assert auto(site)["first_statement"] is False


def test_a_site_may_not_let_a_machine_stop_what_the_shipped_rule_leaves_to_people(tmp_path: Path) -> None:
    ours = "id: our\nname: 我们\nclocks:\n  press_conference: {auto: true}\n"
    (line,) = refusals(made(tmp_path, site=SITE + "profile: our.yaml\n", our=ours))
    assert "须由人确认凭据，不能改为自动止算" in line
    assert "国办发〔2016〕61号" in line


def test_an_official_channel_says_who_publishes_and_under_which_number(tmp_path: Path) -> None:
    sources = """official:
  - {id: a, name: 临江发布, url: "https://a.example/feed", publisher: 市政府新闻办, platform: 微博,
     certified_as: 临江市政府新闻办, filing_no: 临网0001}
  - {id: b, name: 通知公告, url: "https://a.example/list", type: page, select: {item: "ul > li"}, every: PT2M}
"""
    site = load_site(made(tmp_path, sources=sources), {})
    first, column = site.sources.official
    assert first.account == "微博 · 认证 临江市政府新闻办 · 备案 临网0001"
    assert column.account is None
    assert (column.medium, column.most) == (Medium.OFFICIAL, timedelta(minutes=2))


def test_an_official_channel_is_official_whatever_is_written(tmp_path: Path) -> None:
    sources = 'official:\n  - {id: a, name: A, url: "https://a.example/feed", medium: news}\n'
    (line,) = refusals(made(tmp_path, sources=sources))
    assert "medium" in line or "official" in line
