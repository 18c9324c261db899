"""What a document fixes a site can only tighten; the refusal names the document."""

from datetime import timedelta
from pathlib import Path

import pytest

from models.core.clock import least
from models.core.situation import Situation
from models.core.vocabulary import Grade
from playbooks.lint import lint
from playbooks.problem import Problem
from playbooks.schema import ClockSource
from playbooks.shelf import SHIPPED
from playbooks.site import Site, load_site, survey
from playbooks.strict import loosened

WORDS = ("natural", "hardship", "news", "I", "I")
SITE = "name: 临江市政府办公室\n"


def site_with(directory: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return directory


def found(directory: Path) -> list[str]:
    problems: list[Problem] = survey(directory, {})[1]
    return [str(each).removeprefix(f"{directory.resolve()}/") for each in problems if not each.warning]


def under(tmp_path: Path, profile: str) -> Path:
    return site_with(
        tmp_path, {"site.yaml": SITE + "profile: our.yaml\n", "our.yaml": f"id: our\nname: 我们\n{profile}"}
    )


def amounts(site: Site, situation: Situation) -> dict[str, float]:
    return {rule.id: least(rule.amount) / timedelta(hours=1) for _, rule in site.library.rules(situation)}


def test_a_site_may_ask_more_of_itself_than_the_law_does(tmp_path: Path) -> None:
    directory = under(tmp_path, "extends: cn-national\nclocks:\n  first_statement: {amount: PT3H}\n")
    assert amounts(load_site(directory, {}), Situation(Grade.I, event_grade=Grade.I))["first_statement"] == 3


def test_a_longer_amount_is_refused_with_the_document_number(tmp_path: Path) -> None:
    directory = under(tmp_path, "clocks:\n  first_statement:\n    amount: PT8H\n")
    assert found(directory) == [
        "our.yaml:5:13: 法定时限 “首次发布权威信息”（国办发〔2016〕80号、黔财办〔2017〕14号）"
        "只能缩短：规定 PT5H，这里 PT8H（写 PT5H 或更短）"
    ]


def test_what_a_province_tightened_stays_tight(tmp_path: Path) -> None:
    directory = under(tmp_path, "extends: cn-41-henan\nclocks:\n  general_response: {amount: PT36H}\n")
    (line,) = found(directory)
    assert line.startswith("our.yaml:5:30:")
    assert "豫 政务公开工作考核办法" in line
    assert "规定 PT24H" in line


def test_a_later_start_is_refused(tmp_path: Path) -> None:
    directory = under(tmp_path, "clocks:\n  press_conference: {start: graded}\n")
    (line,) = found(directory)
    assert "起算不能推后：规定 事件发生，这里 定级" in line


def test_a_shorter_list_of_fallbacks_is_refused(tmp_path: Path) -> None:
    directory = under(tmp_path, "clocks:\n  press_conference: {fallback: receipt}\n")
    (line,) = found(directory)
    assert "少了后备起算：首次公开、发现" in line


def test_a_site_cannot_give_itself_a_late_notice(tmp_path: Path) -> None:
    late = "{threshold: PT1H, start: receipt, amount: PT5H, basis: [{doc: 本站规定}]}"
    directory = under(tmp_path, f"clocks:\n  first_statement: {{late_notice: {late}}}\n")
    (line,) = found(directory)
    assert "不能自己增加或放宽迟报切换" in line


def test_a_proposal_may_be_longer(tmp_path: Path) -> None:
    directory = under(tmp_path, "clocks:\n  update: {amount: PT24H}\n")
    assert found(directory) == []


def test_a_profile_that_leaves_out_a_statutory_playbook_is_refused(tmp_path: Path) -> None:
    directory = under(tmp_path, "playbooks: [acknowledge, general_opinion, rumour]\n")
    lines = found(directory)
    (line,) = [line for line in lines if line.startswith("our.yaml:3:12: 参数集漏掉了预案 “major_emergency”")]
    assert "国办发〔2016〕80号" in line
    assert any("“information_request”" in line and "国务院令711号" in line for line in lines)


def test_an_unknown_clock_in_a_profile_is_guessed(tmp_path: Path) -> None:
    directory = under(tmp_path, "clocks:\n  first_statment: {amount: PT3H}\n")
    (line,) = found(directory)
    assert line.startswith("our.yaml:4:3: 没有时钟 “first_statment”，是不是 “first_statement”？")


def test_an_overlay_that_strands_a_step_is_told(tmp_path: Path) -> None:
    directory = under(tmp_path, "clocks:\n  acknowledge: {amount: PT20M}\n")
    assert any("晚于到期：起算后 PT30M，时限只有 PT20M" in line for line in found(directory))


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ("PT5H", "PT6H", "只能缩短：规定 PT5H，这里 PT6H"),
        ('"I", "II"]', '"I"]', "触发条件收窄了：event_grade=II"),
        ("    statutory: true\n", "", "不能改成非法定"),
        (
            "evidence: press_conference}",
            "evidence: [press_conference, acknowledgement]}",
            "止算凭据不能放宽：多了 签收",
        ),
        ("amount: PT5H", "amount: 1 个工作日", "规定 PT5H，这里 1 个工作日，小时不能换成工作日"),
        (
            'kind == "not_yet_spread" && !spread',
            'kind == "not_yet_spread"',
            "不能自己增加或放宽预置（至多写 kind",
        ),
        ("id: press_conference", "id: meeting", "少了法定时限 “举行新闻发布会”"),
        ("    amount: PT24H\n", "    amount: PT24H\n    applies_when: confirmed\n", "适用条件不能收窄"),
    ],
)
def test_a_playbook_in_place_of_a_shipped_one_keeps_what_is_statutory(
    tmp_path: Path, right: str, wrong: str, expected: str
) -> None:
    text = (SHIPPED / "major_emergency.yaml").read_text(encoding="utf-8").replace(right, wrong, 1)
    directory = site_with(tmp_path, {"site.yaml": SITE, "playbooks/mine.yaml": text})
    lines = found(directory)
    assert any(line.startswith("playbooks/mine.yaml:") and expected in line for line in lines), lines


def test_a_playbook_may_arm_less_than_the_shipped_one_or_not_at_all(tmp_path: Path) -> None:
    text = (SHIPPED / "major_emergency.yaml").read_text(encoding="utf-8")
    text = text.replace('    pre_arm_when: kind == "not_yet_spread" && !spread\n', "", 1)
    text = text.replace("&& !spread", "&& !spread && signals == 0")
    directory = site_with(tmp_path, {"site.yaml": SITE, "playbooks/mine.yaml": text})
    assert found(directory) == []


def test_no_site_arms_a_statutory_clock_that_the_law_lets_run(tmp_path: Path) -> None:
    text = (SHIPPED / "general_opinion.yaml").read_text(encoding="utf-8")
    text = text.replace("    amount: PT48H\n", "    amount: PT48H\n    pre_arm_when: signals < 3\n")
    directory = site_with(tmp_path, {"site.yaml": SITE, "playbooks/mine.yaml": text})
    (line,) = found(directory)
    assert line.startswith("playbooks/mine.yaml:12:19:")
    assert "“予以回应”" in line
    assert "不能自己增加或放宽预置（去掉 pre_arm_when）" in line


def test_working_days_of_the_law_are_shortened_in_days_or_in_as_few_hours() -> None:
    law = ClockSource.model_validate(
        {"id": "reply", "name": "答复", "amount": "5 个工作日", "start": "receipt", "statutory": True,
         "stop": {"evidence": "reply_receipt"}, "basis": [{"doc": "济南市12345条例"}]}
    )  # fmt: skip
    amounts = {"3 个工作日": True, "PT120H": True, "6个工作日": False, "PT121H": False}
    for text, fine in amounts.items():
        now = law.model_copy(
            update={"amount": ClockSource.model_validate({**dumped(law), "amount": text}).amount}
        )
        said = [message for key, message, _ in loosened(law, now) if key == "amount"]
        assert (said == []) is fine, (text, said)


def dumped(clock: ClockSource) -> dict[str, object]:
    return clock.model_dump(mode="json")


def test_a_stricter_playbook_replaces_a_shipped_one(tmp_path: Path) -> None:
    text = (SHIPPED / "major_emergency.yaml").read_text(encoding="utf-8").replace("PT5H", "PT4H")
    directory = site_with(tmp_path, {"site.yaml": SITE, "playbooks/mine.yaml": text})
    site = load_site(directory, {})
    assert amounts(site, Situation(Grade.I, event_grade=Grade.I))["first_statement"] == 4
    assert [book.id for book in site.library.playbooks].count("major_emergency") == 1


def test_a_replacement_for_another_profile_leaves_the_shipped_one_in_place(tmp_path: Path) -> None:
    text = (SHIPPED / "major_emergency.yaml").read_text(encoding="utf-8")
    mine = text.replace("version: 1", "version: 1\nprofile: cn-41-henan").replace("PT5H", "PT4H")
    directory = site_with(tmp_path, {"site.yaml": SITE, "playbooks/mine.yaml": mine})
    assert amounts(load_site(directory, {}), Situation(Grade.I, event_grade=Grade.I))["first_statement"] == 5


def test_of_two_playbooks_with_one_clock_the_shorter_runs(tmp_path: Path) -> None:
    own = """\
id: school
name: 校园
trigger: {when: true}
clocks:
  - {id: update, name: 续报, amount: PT6H, start: discovery, stop: {evidence: published_update}}
  - {id: clarify, name: 澄清, amount: PT9H, start: discovery, stop: {evidence: published_clarification}}
"""
    directory = site_with(tmp_path, {"site.yaml": SITE, "playbooks/school.yaml": own})
    found_amounts = amounts(load_site(directory, {}), Situation(Grade.II, event_grade=Grade.II))
    assert (found_amounts["update"], found_amounts["clarify"]) == (6, 9)


def test_a_trigger_too_wide_to_compare_is_refused(tmp_path: Path) -> None:
    names = ("event_type", "kind", "medium", "sensitivity_grade", "grade")
    when = 'event_grade != "IV" || ' + " || ".join(
        f'{name} == "{word}"' for name, word in zip(names, WORDS, strict=True)
    )
    text = (SHIPPED / "major_emergency.yaml").read_text(encoding="utf-8")
    text = text.replace("""'event_grade in ["I", "II"] || heat_grade == "I"'""", f"'{when}'")
    directory = site_with(tmp_path, {"site.yaml": SITE, "playbooks/mine.yaml": text})
    assert any("变量太多，无法核对" in line for line in found(directory))


def test_another_playbook_may_not_take_the_id_of_a_statutory_clock(tmp_path: Path) -> None:
    """Else a laxer start or a wider proof under the same name would run in the law's place."""
    (tmp_path / "site.yaml").write_text("name: 临江\n", encoding="utf-8")
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "lax.yaml").write_text(
        "id: lax\nname: 宽松\ntrigger: {when: true}\nclocks:\n"
        "  - {id: first_statement, name: 首发, amount: PT4H, start: ack, stop: {evidence: published_update}}\n",
        encoding="utf-8",
    )
    lines = [str(problem) for problem in lint([tmp_path]) if not problem.warning]
    assert any("“first_statement” 是法定时限 “major_emergency” 的" in line for line in lines)


LATE_STARTS = (
    "[graded, ack, first_public, discovery, receipt]",
    "[first_public, discovery, ack, receipt]",
    "[receipt, first_public, discovery]",
    "[document, first_public, discovery, receipt]",
)


@pytest.mark.parametrize("starts", LATE_STARTS)
def test_no_later_start_is_put_before_one_of_the_law(tmp_path: Path, starts: str) -> None:
    directory = under(tmp_path, f"clocks:\n  first_statement: {{fallback: {starts}}}\n")
    (line,) = found(directory)
    assert "的后备起算不能推后" in line
    assert "按规定的次序写 [first_public, discovery, receipt]" in line


def test_starts_may_be_added_after_those_of_the_law_and_earlier_ones_before(tmp_path: Path) -> None:
    added = "  first_statement: {fallback: [first_public, discovery, receipt, ack, graded]}\n"
    earlier = "  disclosure_reply: {start: occurrence, fallback: [receipt, discovery, first_public]}\n"
    assert found(under(tmp_path, f"clocks:\n{added}{earlier}")) == []


WATER = (SHIPPED / "environment_water.yaml").read_text(encoding="utf-8")
STRICT = WATER[WATER.index("  - id: environment_report ") : WATER.index("  - id: environment_report\n")]


def with_water(tmp_path: Path, text: str) -> Path:
    return site_with(tmp_path, {"site.yaml": SITE, "playbooks/water.yaml": text})


def test_no_variant_of_a_statutory_clock_is_left_out(tmp_path: Path) -> None:
    """The grades I and II, and what has no grade yet, keep their two hours."""
    (line,) = found(with_water(tmp_path, WATER.replace(STRICT, "")))
    assert "漏了一种情形：event_grade=未知 时没有 PT2H 或更短的时钟" in line


def test_a_variant_of_the_law_is_not_covered_by_a_laxer_one_that_always_runs(tmp_path: Path) -> None:
    always = WATER.replace(STRICT, "").replace('    applies_when: event_grade in ["III", "IV"]\n', "")
    (line,) = found(with_water(tmp_path, always))
    assert "没有 PT2H 或更短的时钟" in line


def test_a_statutory_clock_may_be_split_where_its_parts_cover_it_together(tmp_path: Path) -> None:
    worst = STRICT.replace("""'!(event_grade in ["III", "IV"])'""", """'event_grade == "I"'""")
    rest = STRICT.replace("""'!(event_grade in ["III", "IV"])'""", """'event_grade in ["", "II"]'""")
    assert worst != STRICT != rest
    split = WATER.replace(STRICT, worst.replace("PT2H", "PT1H") + rest)
    assert found(with_water(tmp_path, split)) == []
    (line,) = found(with_water(tmp_path, WATER.replace(STRICT, worst.replace("PT2H", "PT1H"))))
    assert "适用条件不能收窄" in line


def test_a_statutory_clock_has_a_bounded_number_of_variants(tmp_path: Path) -> None:
    """Each is held against the law in every situation, also while its text is typed."""
    line = """'!(event_grade in ["III", "IV"])'"""
    more = "".join(STRICT.replace(line, f"'event_grade == \"I\" && signals > {n}'") for n in range(8))
    (found_line,) = found(with_water(tmp_path, WATER.replace(STRICT, more + STRICT)))
    assert "写了 10 种情形，最多 8 种" in found_line
