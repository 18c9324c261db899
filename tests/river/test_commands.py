"""Every command as a person or a script calls it, on SQLite: shapes, exit codes, refusals in words."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from models.core.moment import CST, iso, parse_iso
from support.cli import Cli, Said
from support.processes import command, environ, huiying
from support.sites import write_site

NOBODY = "http://127.0.0.1:9"
TRIAGED = {
    "id", "sentiment", "sentiment_score", "topic", "topic_margin", "topics", "kind", "rumour", "facts", "event_type",
    "event_grade", "concern", "incident", "link", "flagged", "grade", "reasons", "versions",
}  # fmt: skip
FACTS = {"deaths", "injured", "missing", "trapped", "evacuated", "loss_cny"}


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(write_site(tmp_path / "site", NOBODY))


def ago(**how: float) -> str:
    return iso(datetime.now(CST) - timedelta(**how))


def opened(cli: Cli, title: str = "化工园区火灾", grade: str = "II", **more: str) -> dict[str, Any]:
    options = [part for name, value in more.items() for part in (f"--{name.replace('_', '-')}", value)]
    shown = cli.json(
        "open", "--title", title, "--grade", grade, "--by", "chen", "--reason", "电话报告", *options
    )
    assert isinstance(shown, dict)
    return shown


def clocks(incident: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {clock["id"]: clock for clock in incident["clocks"]}


def running(incident: dict[str, Any]) -> list[str]:
    return [
        clock["id"] for clock in incident["clocks"] if clock["state"] in ("running", "at_risk", "breached")
    ]


def one_line(said: Said) -> str:
    """A refusal: nothing on standard output, one line of words on standard error."""
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert "Traceback" not in line
    return line


# ── a site ────────────────────────────────────────────────────────────────────────────────────


def test_a_new_site_is_written_linted_and_found_sound(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "office")
    written = cli.json("init", str(cli.site))
    assert {Path(path).name for path in written} >= {
        "site.yaml",
        "roster.yaml",
        "sources.yaml",
        "channels.yaml",
    }
    problems = cli.json("lint", str(cli.site))  # from November on next year's calendar is asked for
    assert all(problem["warning"] and problem["file"].endswith("holidays.yaml") for problem in problems)
    found = cli.json("doctor")
    assert found["ok"] is True
    assert all({"what", "ok", "warning", "detail", "mend"} <= finding.keys() for finding in found["findings"])
    assert cli.json("board")["incidents"] == []


def test_a_second_init_leaves_an_edited_site_as_it_is(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "office")
    cli.json("init", str(cli.site))
    (cli.site / "site.yaml").write_text("name: 临江市政府办公室\n", encoding="utf-8")
    cli("init", str(cli.site))
    assert (cli.site / "site.yaml").read_text(encoding="utf-8") == "name: 临江市政府办公室\n"


def test_lint_names_file_line_and_column_and_answers_no(cli: Cli) -> None:
    (cli.site / "site.yaml").write_text("name: 临江市政府办公室\nprofle: cn-national\n", encoding="utf-8")
    said = cli("lint", str(cli.site), "--json")
    assert said.code == 1
    first = said.value[0]
    assert (Path(first["file"]).name, first["line"], first["column"]) == ("site.yaml", 2, 1)
    assert "profile" in first["message"] + first["hint"]
    assert "site.yaml:2:1: " in cli("lint", str(cli.site)).out


KINDS = ("playbook", "profile", "site", "sources", "roster", "channels", "plans")


@pytest.mark.parametrize("kind", [*KINDS, "message", "result", "dead_letter"])
def test_every_kind_of_file_and_message_has_a_json_schema(cli: Cli, kind: str) -> None:
    said = cli("schema", kind)
    assert said.code == 0
    assert said.value["$schema"].startswith("https://json-schema.org/")


def test_simulate_shows_who_is_told_when_and_writes_nothing(cli: Cli) -> None:
    start = "2026-11-21T00:00+08:00"
    lines = cli.json("simulate", "all", "--start", start, "--grade", "II")
    assert all({"at", "clock", "step", "rung", "due_at", "told"} <= line.keys() for line in lines)
    half = next(line for line in lines if (line["clock"], line["step"]) == ("first_statement", "50%"))
    assert half["at"] == "2026-11-21T02:30:00+08:00"
    assert [told["person"] for told in half["told"]] == ["chen"]
    assert [parse_iso(line["at"]) for line in lines] == sorted(parse_iso(line["at"]) for line in lines)
    assert not (cli.site / "huiying.sqlite").exists()


# ── acts ──────────────────────────────────────────────────────────────────────────────────────


def test_the_board_has_the_shape_of_the_contract(cli: Cli) -> None:
    began = ago(hours=1)
    made = opened(cli, occurred_at=began)
    board = cli.json("board")
    assert {"incidents", "coverage", "now"} <= board.keys()
    (incident,) = board["incidents"]
    assert (incident["id"], incident["title"], incident["grade"]) == (made["id"], "化工园区火灾", "II")
    first = clocks(incident)["first_statement"]
    assert {"id", "state", "started_at", "due_at", "left_s", "steps"} <= first.keys()
    assert parse_iso(first["started_at"]) == parse_iso(began)
    assert parse_iso(first["due_at"]) - parse_iso(began) == timedelta(hours=5)
    left = parse_iso(first["due_at"]) - parse_iso(board["now"])
    assert first["left_s"] == pytest.approx(left.total_seconds(), abs=1)
    assert all({"key", "due_at", "raised_at"} <= step.keys() for step in first["steps"])
    assert {item["name"] for item in board["coverage"]["items"]} >= {
        "database",
        "respond",
        "deliver",
        "roster",
    }


def test_an_incident_goes_through_every_act_to_its_end(cli: Cli) -> None:
    name = opened(cli, grade="III", occurred_at=ago(hours=6))["id"]
    assert cli.json("ack", name, "--by", "chen")["acked"][0]["person"] == "chen"

    graded = cli.json("grade", name, "II", "--by", "li", "--reason", "现场核实死亡人数")
    assert graded["grade"] == "II"
    began = [clocks(graded)[clock]["started_at"] for clock in ("first_statement", "press_conference")]
    assert len(set(began)) == 1  # a raised grade adds clocks on the same start (law 7)
    assert clocks(graded)["first_statement"]["left_s"] < 0

    assert (
        cli.json("assign", name, "--by", "li", "--unit", "office", "--reason", "牵头处置")["owner"]
        == "office"
    )
    cli.json("update", name, "--by", "chen", "--text", "明火已扑灭")
    corrected = cli.json(
        "correct",
        name,
        "--by",
        "li",
        "--reason",
        "调度记录为准",
        "--event",
        "occurrence",
        "--value",
        ago(hours=3),
    )
    assert clocks(corrected)["first_statement"]["left_s"] > 0

    url = "https://www.linjiang.example/1.html"
    stopped = cli.json("stop", name, "--by", "chen", "--clock", "first_statement", "--url", url)
    assert "first_statement" in stopped["stopped"]
    assert clocks(stopped)["first_statement"]["state"] == "met"

    refused = cli("close", name, "--by", "li", "--reason", "处置完毕")
    assert refused.code == 1
    assert "press_conference" in one_line(refused)
    for clock in running(cli.json("board")["incidents"][0]):
        waived = cli.json("waive", name, "--by", "li", "--reason", "另行发布", "--clock", clock)
        assert clock not in running(waived)
        assert (clock, "waived") in {(one["id"], one["state"]) for one in waived["clocks"]}
    unfinished = cli("close", name, "--by", "li", "--reason", "处置完毕")
    assert unfinished.code == 1
    assert all(words in one_line(unfinished) for words in ("宣传部", "S-041", "第一新闻发言人", "S-013"))
    for number, to in enumerate(("上级总值班室", "宣传部", "网信办")):
        told = cli.json("notify-receipt", name, "--by", "chen", "--to", to, "--receipt", f"回执 {number}")
    speak = next(one for one in told["tasks"] if one["must"] and one["state"] == "open")
    said = ("--by", "zhou", "--result", "周正 15 时答记者问", "--incident", name)
    cli.json("task", "done", str(speak["number"]), *said)
    assert cli.json("close", name, "--by", "li", "--reason", "处置完毕")["stage"] == "closed"
    assert cli.json("board")["incidents"] == []

    assert cli.json("reopen", name, "--by", "li", "--reason", "通报有误")["stage"] != "closed"
    found = cli.json("verify")
    assert (found["ok"], found["findings"]) == (True, [])


def test_an_acknowledgement_stops_only_its_own_clock(cli: Cli) -> None:
    name = opened(cli)["id"]
    shown = clocks(cli.json("ack", f"舆-{name}", "--by", "chen", "--reason", "正在核实"))
    assert shown["acknowledge"]["state"] == "met"
    assert {clock["state"] for key, clock in shown.items() if key != "acknowledge"} == {"running"}


def test_a_merge_keeps_the_earlier_start_and_one_incident(cli: Cli) -> None:
    early, late = ago(hours=2), ago(hours=1)
    first, second = opened(cli, occurred_at=early)["id"], opened(cli, "园区又起火", occurred_at=late)["id"]
    merged = cli.json("merge", first, second, "--by", "li", "--reason", "同一事件")
    assert merged["id"] == second
    assert parse_iso(clocks(merged)["first_statement"]["started_at"]) == parse_iso(early)
    assert [incident["id"] for incident in cli.json("board")["incidents"]] == [second]
    assert cli.json("verify")["ok"] is True


def test_imported_tickets_become_one_incident_that_can_be_split(cli: Cli, tmp_path: Path) -> None:
    body = "园区一车间爆炸，已致12人死亡，第{n}次来电。"
    rows = [
        {"id": f"T{n}", "title": "江东化工园区发生爆炸", "body": body.format(n=n), "time": ago(minutes=9 - n)}
        for n in range(3)
    ]
    file = tmp_path / "calls.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    assert cli.json("import", str(file)) == {"read": 3, "accepted": 3, "duplicate": 0, "rejected": 0}
    assert cli.json("import", str(file)) == {"read": 3, "accepted": 0, "duplicate": 3, "rejected": 0}
    done = cli.json("triage")
    assert (done["judged"], done["opened"]) == (3, 1)
    (incident,) = cli.json("board")["incidents"]
    assert incident["signal_count"] == 3
    chosen = str(cli.json("ack", incident["id"], "--by", "chen")["signals_list"][0]["id"])
    why = ("--title", "另一车间", "--reason", "不同起")
    apart = cli.json("split", incident["id"], "--by", "li", "--signals", chosen, *why)
    assert (apart["title"], apart["signal_count"]) == ("另一车间", 1)
    counts = {one["id"]: one["signal_count"] for one in cli.json("board")["incidents"]}
    assert counts == {incident["id"]: 2, apart["id"]: 1}
    assert cli.json("verify")["ok"] is True


def test_rows_that_cannot_be_read_are_counted_named_and_answered_with_no(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    file.write_text("id,title,body,time\n1,停水,小区停水三天,2026-11-21 02:13\n2,,,\n", encoding="utf-8")
    said = cli("import", str(file), "--json")
    assert said.code == 1
    assert said.value == {"read": 2, "accepted": 1, "duplicate": 0, "rejected": 1}
    assert "calls.csv:3" in said.err
    absent = cli("import", str(tmp_path / "absent.csv"))
    assert absent.code == 1
    assert absent.value["read"] == 0
    assert "没有这个文件" in absent.err


# ── streams ───────────────────────────────────────────────────────────────────────────────────


def test_triage_answers_every_line_in_order_without_a_site(tmp_path: Path) -> None:
    lines = [
        '{"id": "a", "title": "江东化工园区爆炸", "text": "已致12人死亡，40余人受伤", "channel": "weibo"}',
        "{not json",
        '{"id": "b", "text": "今晚的月亮真圆"}',
        '{"id": "c"}',
        "[1]",
    ]
    said = Cli(tmp_path / "no-such-site")("triage", "--jsonl", stdin="\n".join(lines) + "\n")
    assert said.code == 0
    first, bad, second, empty, array = said.lines
    assert first.keys() >= TRIAGED
    assert first["facts"].keys() >= FACTS
    assert (first["id"], first["facts"]["deaths"], first["event_grade"], first["flagged"]) == (
        "a",
        12,
        "II",
        True,
    )
    assert (second["id"], second["facts"]["deaths"], second["flagged"]) == ("b", None, False)
    assert -1 <= first["sentiment_score"] <= 1
    assert first["sentiment"] in ("neg", "neu", "pos")
    assert all(0 <= first[name] <= 1 for name in ("topic_margin", "rumour", "concern"))
    assert [one["line"] for one in (bad, empty, array)] == [2, 4, 5]
    assert all(one["error"] for one in (bad, empty, array))


def test_a_sites_own_topics_stand_behind_the_seven_classes(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", site={"topics": "topics.csv"})
    rows = ["一级分类,二级分类,三级分类", "市政公用,供水服务,水质浑浊", "文化旅游,景区管理,门票退费"]
    (site / "topics.csv").write_text("\n".join(rows), encoding="utf-8")
    lines = [
        '{"id": "a", "title": "自来水水质浑浊", "text": "供水服务热线没人接"}',
        '{"id": "b", "text": "今晚的月亮真圆"}',
    ]
    sure, doubtful = Cli(site)("triage", "--jsonl", stdin="\n".join(lines) + "\n").lines
    seven, tree = sure["topics"][:3], sure["topics"][3:]
    assert [one.keys() for one in seven] == [{"label", "score"}] * 3
    assert [(one["label"], one["level"], one["unsure"]) for one in tree] == [
        ("供水服务", 2, False),
        ("水质浑浊", 3, False),
    ]
    assert tree[1]["path"] == ["市政公用", "供水服务", "水质浑浊"]
    assert any(reason.startswith("主题归类：市政公用 / 供水服务 / 水质浑浊") for reason in sure["reasons"])
    assert len(doubtful["topics"]) == 3
    assert any(reason.startswith("主题二级不确定：") for reason in doubtful["reasons"])


def test_a_sites_own_topics_are_kept_and_shown_with_the_incident(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", site={"topics": "topics.csv"})
    rows = ["一级分类,二级分类,三级分类", "应急管理,安全生产,化工爆炸", "文化旅游,景区管理,门票退费"]
    (site / "topics.csv").write_text("\n".join(rows), encoding="utf-8")
    file = tmp_path / "calls.jsonl"
    row = {"id": "T1", "title": "江东化工园区发生爆炸", "body": "已致12人死亡", "time": ago(minutes=9)}
    file.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    cli = Cli(site)
    cli.json("import", str(file))
    cli.json("triage")
    (incident,) = cli.json("board")["incidents"]
    (signal,) = cli.json("ack", incident["id"], "--by", "chen")["signals_list"]
    assert signal["topic"] in {
        "城乡建设", "劳动和社会保障", "教育文体", "商贸旅游", "环境保护", "卫生计生", "交通运输",
    }  # fmt: skip
    assert signal["filed"].startswith("主题归类：应急管理 / 安全生产 / 化工爆炸")


def test_same_answers_every_pair(tmp_path: Path) -> None:
    alike = {"a": "江东化工园区爆炸致12人死亡", "b": "江东化工园区爆炸已致12人死亡"}
    apart = {"a": "江东化工园区爆炸致12人死亡", "b": "市图书馆延长夜间开放时间"}
    stdin = "".join(json.dumps(pair, ensure_ascii=False) + "\n" for pair in (alike, apart)) + '{"a": 1}\n'
    yes, no, bad = Cli(tmp_path)("same", "--jsonl", stdin=stdin).lines
    assert (yes["same"], no["same"]) == (True, False)
    assert 0 <= no["score"] < yes["score"] <= 1
    assert bad["line"] == 3


# ── refusals ──────────────────────────────────────────────────────────────────────────────────


REFUSED = {
    "an unknown person": (("ack", "{id}", "--by", "chne"), "chen"),
    "an unknown incident": (("ack", "2026-9999", "--by", "chen"), "2026-9999"),
    "an unknown clock to stop": (
        ("stop", "{id}", "--by", "chen", "--clock", "first_statment", "--url", "https://a.example/1"),
        "是不是 “first_statement”",
    ),
    "an unknown clock to waive": (
        ("waive", "{id}", "--by", "li", "--reason", "无", "--clock", "pres"),
        "press_conference",
    ),
    "an unknown grade": (("grade", "{id}", "V", "--by", "li", "--reason", "误"), "I、II、III、IV"),
    "an unknown kind": (
        ("open", "--title", "停水", "--grade", "IV", "--by", "chen", "--kind", "hardshp"),
        "是不是 “hardship”",
    ),
    "an unknown event of time": (
        (
            "correct",
            "{id}",
            "--by",
            "li",
            "--reason",
            "误",
            "--event",
            "occurence",
            "--value",
            "2026-11-21 02:13",
        ),
        "是不是 “occurrence”",
    ),
    "a time that is none": (
        ("correct", "{id}", "--by", "li", "--reason", "误", "--event", "occurrence", "--value", "gestern"),
        "2026-11-21T02:13+08:00",
    ),
    "a time long before there were computers": (
        (
            "correct",
            "{id}",
            "--by",
            "li",
            "--reason",
            "误",
            "--event",
            "occurrence",
            "--value",
            "0001-01-01T00:00",
        ),
        "1970 至 2200 年之间",
    ),
    "a time beyond all calendars": (
        (
            "stop",
            "{id}",
            "--by",
            "li",
            "--clock",
            "first_statement",
            "--url",
            "https://a.example/1",
            "--published-at",
            "9999-12-31T23:59",
        ),
        "1970 至 2200 年之间",
    ),
    "a time that lies outside of time": (
        (
            "correct",
            "{id}",
            "--by",
            "li",
            "--reason",
            "误",
            "--event",
            "occurrence",
            "--value",
            "0001-01-01T00:00+14:00",
        ),
        "不是时间",
    ),
    "a signal's number of thirty digits": (
        ("split", "{id}", "--by", "li", "--signals", "9" * 30, "--title", "另"),
        "不是线索编号",
    ),
    "a picture into no folder": (
        ("simulate", "all", "--start", "2026-11-21T02:13", "--svg", "/nowhere/a.svg"),
        "/nowhere/a.svg 读不了或写不了",
    ),
    "a page into no folder": (("library", "--page", "/nowhere/a.md"), "/nowhere/a.md 读不了或写不了"),
    "corrections into no folder": (
        ("train", "--collect", "/nowhere/a.jsonl"),
        "/nowhere/a.jsonl 读不了或写不了",
    ),
    "a site under a file": (("init", "/dev/null/site"), "核对路径和权限"),
    "a time to come": (
        ("open", "--title", "停水", "--grade", "IV", "--by", "chen", "--occurred-at", "2099-01-01 00:00"),
        "在将来",
    ),
    "an address that is none": (
        ("stop", "{id}", "--by", "chen", "--clock", "first_statement", "--url", "nonsense"),
        "http",
    ),
    "evidence without anything": (("stop", "{id}", "--by", "chen", "--clock", "first_statement"), "url"),
    "evidence of no kind": (
        ("stop", "{id}", "--by", "chen", "--url", "https://a.example/1"),
        "published_statement",
    ),
    "a merge with itself": (("merge", "{id}", "{id}", "--by", "li"), "它自己"),
    "a split of nothing": (("split", "{id}", "--by", "li", "--signals", "7", "--title", "另"), "请核对编号"),
    "the reopening of what is open": (("reopen", "{id}", "--by", "li", "--reason", "误"), "未办结"),
    "an empty title": (("open", "--title", " ", "--grade", "IV", "--by", "chen"), "标题"),
    "the machine's own name": (("ack", "{id}", "--by", "huiying"), "roster.yaml"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_refused_in_one_line_that_says_what_to_do(cli: Cli, case: str) -> None:
    name = opened(cli)["id"]
    args, words = REFUSED[case]
    before = cli.json("verify")["entries"]
    said = cli(*(arg.format(id=name) for arg in args))
    assert said.code == 1
    assert words in one_line(said)
    assert cli.json("verify")["entries"] == before


WISHED = {
    "a grade in small letters": (("grade", "{id}", "iii", "--by", "li", "--reason", "误"), "是不是 “III”"),
    "a clock to waive": (
        ("waive", "{id}", "--by", "li", "--reason", "无", "--clock", "first_statment"),
        "是不是 “first_statement”",
    ),
    "an incident without its zeros": (("ack", "{year}-1", "--by", "chen"), "{id}"),
    "an unknown unit": (("assign", "{id}", "--by", "li", "--unit", "ofice"), "是不是 “office”"),
    "words for numbers": (("split", "{id}", "--by", "li", "--signals", "1,x", "--title", "另"), "“x”"),
}


@pytest.mark.parametrize("case", WISHED)
def test_what_was_probably_meant_is_said(cli: Cli, case: str) -> None:
    name = opened(cli)["id"]
    args, words = WISHED[case]
    said = cli(*(arg.format(id=name, year=name[:4]) for arg in args))
    assert said.code == 1
    assert words.format(id=name) in one_line(said)


@pytest.mark.parametrize(
    "args",
    [
        ("opne",),
        ("open", "--grade", "II"),
        ("ack", "2026-0001"),
        ("board", "--no-such-option"),
        ("same",),
        ("schema", "rooster"),
        ("import", "a.csv", "--kind", "letters"),
        ("simulate", "no-such-book", "--start", "2026-11-21T00:00+08:00"),
        ("simulate", "all", "--start", "gestern"),
        ("simulate", "all", "--start", "9999-12-31T23:00"),
        ("reveal", "9" * 30, "--by", "li", "--reason", "x"),
        ("deadletters", "show", "9" * 30),
        ("deadletters", "drop", "9" * 30, "--reason", "x"),
        ("train", "--collect", "a.jsonl", "--originals"),
        ("worker", "respnd"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_two_and_says_nothing_on_standard_output(
    cli: Cli, args: tuple[str, ...]
) -> None:
    said = cli(*args)
    assert said.code == 2
    assert said.out == ""
    assert said.err.strip()


def test_a_missing_site_is_named_with_the_command_that_writes_one(tmp_path: Path) -> None:
    for name in ("board", "verify"):
        said = Cli(tmp_path / "nowhere")(name)
        assert said.code == 1
        assert "huiying init" in one_line(said)


def test_a_database_that_does_not_answer_gives_one_clear_line(tmp_path: Path) -> None:
    cli = Cli(write_site(tmp_path / "site", NOBODY, database="postgresql://127.0.0.1:1/x"))
    said = cli("board", "--json")
    assert said.code == 1
    assert "127.0.0.1:1/x" in one_line(said)
    examined = cli("doctor", "--json")
    assert examined.code == 1
    assert examined.value["ok"] is False
    wrong = next(one for one in examined.value["findings"] if one["what"] == "数据库")
    assert "127.0.0.1:1/x" in wrong["detail"]
    assert "site.yaml" in wrong["mend"]
    assert "\n" not in wrong["detail"]


def test_a_password_in_the_database_address_is_never_said(tmp_path: Path) -> None:
    cli = Cli(write_site(tmp_path / "site", NOBODY, database="postgresql://u:geheim-77@127.0.0.1:1/x"))
    for said in (cli("board"), cli("doctor")):
        assert said.code == 1
        assert "geheim-77" not in said.out + said.err


# ── as a process ──────────────────────────────────────────────────────────────────────────────


def test_a_script_reads_pure_json_from_the_real_command(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", NOBODY)
    made = command(site, "open", "--title", "供水异味", "--grade", "IV", "--by", "chen")
    assert [one["id"] for one in command(site, "board")["incidents"]] == [made["id"]]
    assert command(site, "verify")["ok"] is True


def test_a_reader_that_goes_away_early_leaves_no_traceback() -> None:
    line = '{"id": "%d", "text": "小区停水三天"}\n'
    pipe = subprocess.PIPE
    command_line = huiying("triage", "--jsonl")
    with subprocess.Popen(command_line, env=environ(), stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.write("".join(line % n for n in range(2000)).encode())
        process.stdin.close()
        said = process.stderr.read().decode()
    assert "Traceback" not in said


def test_one_incident_is_shown_whole_with_the_numbers_that_split_asks_for(cli: Cli) -> None:
    name = opened(cli)["id"]
    said = cli("show", name)
    assert said.code == 0
    assert "设钟" in said.out
    assert cli.json("show", name)["timeline"][0]["kind"] == "incident_opened"
    assert cli("show", "2026-9999").code == 1


def test_a_writer_who_waits_for_each_answer_gets_it() -> None:
    program = huiying("triage", "--jsonl")
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        for number in range(3):
            running.stdin.write(
                json.dumps({"id": f"n{number}", "text": "路灯不亮"}, ensure_ascii=False) + "\n"
            )
            running.stdin.flush()
            assert json.loads(running.stdout.readline())["id"] == f"n{number}"
        running.stdin.close()
        assert running.wait(30) == 0


def test_a_retracted_proof_is_named_by_the_first_letters_of_its_number(cli: Cli) -> None:
    name = opened(cli)["id"]
    proof = ("--kind", "published_statement", "--url", "https://example.org/1")
    assert cli.json("stop", name, "--by", "chen", *proof)["stopped"] == ["first_statement"]
    (evidence,) = cli.json("show", name)["evidence"]
    assert evidence["id"][:8] in cli("show", name).out
    done = cli("retract", name, "--by", "li", "--reason", "通报有误", "--evidence", evidence["id"][:8])
    assert (done.code, "重新计时的时钟: first_statement" in done.err) == (0, True)
    assert "(已撤回)" in cli("show", name).out
    again = cli("retract", name, "--by", "li", "--reason", "通报有误", "--evidence", evidence["id"][:8])
    assert again.code != 0
    assert "此前已撤回" in again.err


def test_an_armed_clock_is_marked_on_the_board_of_the_terminal(cli: Cli) -> None:
    shown = opened(cli, kind="not_yet_spread")
    assert clocks(shown)["first_statement"]["state"] == "armed"
    (line,) = [each for each in cli("board").out.splitlines() if "首次发布权威信息" in each]
    assert line.strip().startswith("◌")
    assert "预置" in line
