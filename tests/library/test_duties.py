"""What the shipped playbooks ask of people, and what a site may say of its units and its limits."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from models.core.casework import Level
from models.core.situation import Situation
from models.core.vocabulary import EvidenceKind, Grade, OpinionKind, StartEvent
from playbooks.book import Library
from playbooks.duties import aftermath, notifications, wants
from playbooks.problem import Problems
from playbooks.site import Site, load_site

SITE = "name: 临江市政府办公室\n"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    directory = tmp_path_factory.mktemp("site")
    (directory / "site.yaml").write_text(SITE, encoding="utf-8")
    return load_site(directory, {}).library


def site(directory: Path, **files: str) -> Site:
    (directory / "site.yaml").write_text(SITE + files.pop("site", ""), encoding="utf-8")
    for name, text in files.items():
        (directory / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load_site(directory, {})


def must(library: Library, kind: OpinionKind, grade: Grade = Grade.IV) -> dict[str, EvidenceKind | None]:
    asked = wants(library, Situation(grade, event_grade=grade, kind=kind))
    return {want.name: want.evidence for want in asked if want.must}


@pytest.mark.parametrize("kind", list(OpinionKind))
def test_every_kind_of_opinion_has_tasks_and_a_proof_without_which_it_does_not_close(
    library: Library, kind: OpinionKind
) -> None:
    asked = wants(library, Situation(Grade.IV, kind=kind))
    closing = [want for want in asked if f":kind:{kind.value}:" in want.key]
    assert closing
    assert all(want.must and want.evidence and want.basis for want in closing)
    assert len(asked) > len(closing)


def test_false_information_wants_the_answer_and_the_receipt(library: Library) -> None:
    closing = {
        want.evidence
        for want in wants(library, Situation(Grade.IV, kind=OpinionKind.FALSE_INFO))
        if ":kind:" in want.key
    }
    assert closing == {EvidenceKind.CLARIFICATION, EvidenceKind.HANDOVER_RECEIPT}


def test_a_hardship_and_a_major_problem_have_each_its_own_task(library: Library) -> None:
    hardship, problem = must(library, OpinionKind.HARDSHIP), must(library, OpinionKind.MAJOR_PROBLEM)
    assert "实际困难：研究解决并公布" in hardship
    assert "重大问题：调查处置并及时发布" not in hardship
    assert "重大问题：调查处置并及时发布" in problem
    assert "实际困难：研究解决并公布" not in problem


def test_the_first_spokesperson_must_speak_where_a_playbook_cites_the_rule(library: Library) -> None:
    assert "约请主要负责人（第一新闻发言人）和新闻发言人" in must(library, OpinionKind.HARDSHIP, Grade.II)
    assert "约请主要负责人（第一新闻发言人）和新闻发言人" not in must(library, OpinionKind.HARDSHIP)


def test_a_body_that_two_playbooks_want_told_is_told_once(library: Library) -> None:
    situation = Situation(Grade.II, event_grade=Grade.II, kind=OpinionKind.NOT_YET_SPREAD)
    told = [want.party for want in wants(library, situation) if want.party and want.evidence]
    assert sorted(told) == sorted({"上级总值班室", "宣传部", "网信办"})
    groups = [group for group in notifications(library, situation) if group.evidence]
    assert {group.playbook for group in groups} == {"major_emergency", "not_yet_spread"}
    assert {group.skew for group in groups} == {timedelta(minutes=10)}


def test_what_comes_after_the_end_has_its_limit_and_is_no_must(library: Library) -> None:
    after = aftermath(library, Situation(Grade.II, event_grade=Grade.II))
    review = next(want for want in after if want.name.startswith("复盘"))
    assert (review.due, review.must) == (timedelta(days=7), False)


def test_a_task_counts_from_the_event_that_its_playbook_names(library: Library) -> None:
    asked = wants(library, Situation(Grade.III, kind=OpinionKind.CAC_NOTICE))
    first = next(want for want in asked if want.name.startswith("核实通报"))
    assert (first.since, first.due) == (StartEvent.RECEIPT, timedelta(hours=1))


def test_units_say_what_they_answer_for(tmp_path: Path) -> None:
    gas_unit = "{id: gas, name: 住建局, level: city, places: 临江市, topics: [燃气, 供水]}"
    text = f"units: [{gas_unit}, {{id: o, name: 办公室, coordinates: true}}]\n"
    gas, office = site(tmp_path, roster=text).roster.units
    assert (gas.level, gas.places, gas.topics) == (Level.CITY, ("临江市",), ("燃气", "供水"))
    assert (office.coordinates, office.places) == (True, ())


def test_the_limits_of_the_work_are_a_site_s_own(tmp_path: Path) -> None:
    work = site(tmp_path, site="work: {claim: PT4H, stages: {assess: PT30M, evaluate: null}}\n").work
    assert work.claim == timedelta(hours=4)
    assert (work.stages.assess, work.stages.evaluate) == (timedelta(minutes=30), None)
    assert work.stages.collect == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("site", "work: {claim: PT25H}\n", "不能超过 24 小时"),
        ("site", "work: {stages: {asess: PT1H}}\n", "assess"),
        ("site", "work: {stages: {assess: 1小时}}\n", "PT1H"),
        ("roster", "units: [{id: a, name: 甲, level: 市}]\n", "county"),
        ("roster", "units: [{id: a, name: 甲, place: 临江市}]\n", "places"),
    ],
)
def test_what_a_site_says_wrongly_of_it_is_refused_in_words(
    tmp_path: Path, file: str, text: str, words: str
) -> None:
    with pytest.raises(Problems, match=words):
        site(tmp_path, **{file: text})


def test_a_task_s_condition_is_checked_as_every_other(tmp_path: Path) -> None:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "own.yaml").write_text(
        "id: own\nname: 自己的\ntrigger: {when: true}\ntasks:\n  - {name: 走访, when: knd == 'hardship'}\n",
        encoding="utf-8",
    )
    with pytest.raises(Problems, match=r"own\.yaml:5:"):
        site(tmp_path)
