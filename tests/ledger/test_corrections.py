"""What officers change is kept, and can be learned from."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from flows.collecting.intake import store as put
from flows.office.desk import Desk
from flows.triage import triage
from flows.wiring import House
from models.classify.drift import stability_index
from models.core.signals import Batch, RawSignal
from models.core.vocabulary import Grade, Medium, OpinionKind
from models.ledger import acts, incidents, joining, judgements
from models.ledger.judgements import JUDGEMENT
from support.cli import Cli
from support.sites import ENVIRON, write_site

TEXT = "青岚县一化工厂爆炸，造成5人死亡，20余人受伤，现场仍有人员被困"


def test_a_kind_that_an_officer_changed_comes_out_with_its_text(database_url: str, tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", database=database_url)
    with House.open(site, ENVIRON) as house:
        now = house.time.now()
        put(
            house,
            Batch((RawSignal("x", "a1", Medium.NEWS, TEXT, "", published_at=now - timedelta(hours=1)),)),
            "x",
        )
        triage(house)
        with house.store.read() as conn:
            assert list(judgements.corrected(conn)) == []
            (incident,) = [row.id for row in incidents.faces(conn)]
            counts = judgements.answers(conn, 100)
        with house.store.write() as conn:
            acts.set_grade(
                conn, now, incident, Grade.I, "li", "核实", house.rules_for, kind=OpinionKind.ERRONEOUS
            )
        with house.store.read() as conn:
            assert list(judgements.corrected(conn)) == [{"text": TEXT, "kind": "erroneous"}]
    assert sum(counts["sentiment"].values()) == 1
    assert stability_index(counts["sentiment"], counts["sentiment"]) is None


PERSONAL = f"{TEXT}，投诉人王小明，电话13812345678"


@pytest.fixture
def corrected(tmp_path: Path) -> Cli:
    """A site in which an officer changed the kind of an incident whose ticket names a citizen."""
    cli = Cli(write_site(tmp_path / "site", "http://127.0.0.1:9"))
    with House.open(cli.site, ENVIRON) as house:
        now = house.time.now()
        signal = RawSignal("x", "a1", Medium.HOTLINE, PERSONAL, "", published_at=now, author="王小明")
        put(house, Batch((signal,)), "x")
        triage(house)
        with house.store.write() as conn:
            (incident,) = [row.id for row in incidents.faces(conn)]
            wrong, rules = OpinionKind.ERRONEOUS, house.rules_for
            acts.set_grade(conn, now, incident, Grade.I, "li", "核实", rules, kind=wrong)
    return cli


def test_corrections_are_written_without_personal_data_and_for_their_owner_alone(
    corrected: Cli, tmp_path: Path
) -> None:
    file = tmp_path / "corrections.jsonl"
    entries = corrected.json("verify")["entries"]
    assert corrected.json("train", "--collect", str(file))["rows"] == 2  # the kind and the grade
    text = file.read_text(encoding="utf-8")
    assert "王小明" not in text
    assert "13812345678" not in text
    assert "化工厂爆炸" in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert corrected.json("verify")["entries"] == entries


def test_originals_are_written_for_a_named_person_with_a_reason_that_the_journal_keeps(
    corrected: Cli, tmp_path: Path
) -> None:
    file = tmp_path / "corrections.jsonl"
    file.write_text("old", encoding="utf-8")
    file.chmod(0o644)
    asked = ("train", "--collect", str(file), "--originals")
    assert corrected(*asked, "--by", "li").code == 2
    assert corrected(*asked, "--by", "nobody", "--reason", "训练").code == 1
    assert file.read_text(encoding="utf-8") == "old"
    corrected.json(*asked, "--by", "li", "--reason", "重新训练")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [row["text"] for row in rows] == [PERSONAL, PERSONAL]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with House.open(corrected.site, ENVIRON) as house:
        entry = Desk(house).auditing.overview({}, 1, None)["entries"][0]
    assert (entry["kind"], entry["actor"], entry["reason"]) == ("导出原文", "李主任", "重新训练")
    assert "2 条更正" in entry["text"]


# ── grades, merges and splits ─────────────────────────────────────────────────────────────────

FIRE = "临江市江东化工园区仓库起火，造成2人死亡，园区已疏散"
WATER = "城西水厂管道破裂，城西片区大面积停水已两天，居民急盼恢复供水"


@contextmanager
def judged(tmp_path: Path, *told: str, **site: object) -> Iterator[tuple[Cli, House]]:
    """A site in which these texts were judged, each told now."""
    cli = Cli(write_site(tmp_path / "site", "http://127.0.0.1:9", **site))
    with House.open(cli.site, ENVIRON) as house:
        tell(house, *told)
        yield cli, house


def tell(house: House, *texts: str) -> None:
    now = house.time.now()
    made = (
        RawSignal("x", f"{text}-{now.timestamp()}-{n}", Medium.NEWS, text, "", published_at=now)
        for n, text in enumerate(texts)
    )
    put(house, Batch(tuple(made)), "x")
    triage(house)


def homes(house: House) -> dict[str, set[str | None]]:
    """Title → the incidents in which signals of that title are."""
    with house.store.read() as conn:
        rows = judgements.judged_between(conn, 0, 1000, house.time.now() - timedelta(days=9))
        where = dict(conn.execute(select(JUDGEMENT.c.signal_id, JUDGEMENT.c.incident_id)).all())
    found: dict[str, set[str | None]] = {}
    for row in rows:
        found.setdefault(row.title, set()).add(where[row.id])
    return found


def collected(cli: Cli, tmp_path: Path) -> list[dict[str, Any]]:
    file = tmp_path / "collected.jsonl"
    cli.json("train", "--collect", str(file))
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_grade_that_an_officer_changed_comes_out_beside_the_machines(tmp_path: Path) -> None:
    with judged(tmp_path, f"{FIRE}，联系人电话13812345678") as (cli, house):
        with house.store.read() as conn:
            (one,) = incidents.faces(conn)
            row = incidents.get(conn, one.id)
        assert row.provisional
        for grade, why in ((Grade(row.grade), "属实"), (Grade.I, "影响很大")):
            with house.store.write() as conn:
                acts.set_grade(conn, house.time.now(), row.id, grade, "li", why, house.rules_for)
            if grade is not Grade.I:
                assert collected(cli, tmp_path) == []  # to confirm is no correction
        (found,) = collected(cli, tmp_path)
    assert (found["grade"], found["incident"], found["machine"]["grade"]) == ("I", row.id, row.grade)
    assert [part["part"] for part in found["machine"]["parts"]]
    assert all(part["reason"] for part in found["machine"]["parts"])
    assert "仓库起火" in found["text"]
    assert "13812345678" not in json.dumps(found, ensure_ascii=False)


def test_what_a_person_put_together_comes_out_and_is_never_taken_apart(tmp_path: Path) -> None:
    other = "江西某市商场火灾，已致3人遇难"
    with judged(tmp_path, FIRE, other) as (cli, house):
        gone, stays = homes(house)[other], homes(house)[FIRE]
        assert gone != stays
        with house.store.write() as conn:
            joining.merge(conn, house.time.now(), *gone, *stays, "li", "同一事件", house.rules_for)
        house.sorter = None  # another process begins
        tell(house, other, FIRE)
        assert homes(house) == {FIRE: stays, other: stays}
        (found,) = collected(cli, tmp_path)
    assert (found["a"], found["b"], found["same"]) == (other, FIRE, True)
    assert found["machine"] == {"same": False, "score": None}


@pytest.mark.parametrize("restarted", [False, True], ids=["same process", "another process"])
def test_what_a_person_took_apart_comes_out_and_is_never_put_together(
    tmp_path: Path, restarted: bool
) -> None:
    alike = "临江市江东化工园区车间起火，造成2人死亡，车间已封闭"
    with judged(tmp_path, FIRE, alike, FIRE) as (cli, house):
        (home,) = homes(house)[alike]
        assert homes(house) == {FIRE: {home}, alike: {home}}
        with house.store.write() as conn:
            apart = joining.split(
                conn, house.time.now(), str(home), [2], "车间起火", "li", "不是一起", house.rules_for
            )
        if restarted:
            house.sorter = None
        tell(house, alike, FIRE)
        tell(house, FIRE, alike)
        assert homes(house) == {FIRE: {home}, alike: {apart}}
        (found,) = collected(cli, tmp_path)
        assert cli.json("verify")["ok"] is True
    assert (found["a"], found["b"], found["same"]) == (alike, FIRE, False)
    assert found["machine"]["same"] is True
    assert found["machine"]["score"] > 0


def test_a_merge_that_was_taken_back_is_no_correction(tmp_path: Path) -> None:
    with judged(tmp_path, FIRE, "江西某市商场火灾，已致3人遇难") as (cli, house):
        (first,), (second,) = homes(house).values()
        now, rules = house.time.now(), house.rules_for
        with house.store.write() as conn:
            joining.merge(conn, now, str(second), str(first), "li", "同一事件", rules)
        assert len(collected(cli, tmp_path)) == 1
        with house.store.write() as conn:
            joining.split(conn, now, str(first), [2], "商场火灾", "li", "看错了", rules)
        assert collected(cli, tmp_path) == []


def test_originals_of_links_are_written_only_when_asked_for(tmp_path: Path) -> None:
    with judged(tmp_path, FIRE, "江西某市商场火灾，已致3人遇难，电话13812345678") as (cli, house):
        (first,), (second,) = homes(house).values()
        with house.store.write() as conn:
            joining.merge(conn, house.time.now(), str(second), str(first), "li", "同一事件", house.rules_for)
        assert "13812345678" not in collected(cli, tmp_path)[0]["a"]
        file = tmp_path / "originals.jsonl"
        cli.json("train", "--collect", str(file), "--originals", "--by", "li", "--reason", "重新训练")
    assert "13812345678" in file.read_text(encoding="utf-8")


# ── labels ────────────────────────────────────────────────────────────────────────────────────


def test_a_label_put_right_on_the_command_line_is_collected_and_the_incident_is_looked_up_beside_others(
    tmp_path: Path,
) -> None:
    with judged(tmp_path, f"{FIRE}，联系人电话13812345678") as (cli, house), house.store.read() as conn:
        (row,) = incidents.faces(conn)
        (number,) = conn.execute(select(JUDGEMENT.c.signal_id)).scalars()
        was = conn.execute(select(JUDGEMENT.c.topic)).scalar_one()
    other = "卫生计生" if was != "卫生计生" else "环境保护"
    asked = ("label", row.id, "--by", "chen", "--signal", str(number))
    assert cli(*asked, "--topic", other, "--sentiment", "neg").code == 2
    assert "可用" in cli(*asked, "--topic", "天文").err
    assert cli(*asked[:2], "--by", "nobody", "--topic", other).code == 1
    assert cli.json(*asked, "--topic", other, "--reason", "读错了")["changed"] == 1
    (found,) = collected(cli, tmp_path)
    assert (found["topic"], found["machine"], found["signal"]) == (other, {"topic": was}, number)
    assert "13812345678" not in found["text"]
    past = cli.json(
        "open", "--title", "江北化工园区仓库起火", "--grade", "III", "--event-type", "accident", "--by", "li"
    )
    likest = cli.json("similar", row.id)["similar"][0]
    assert (likest["id"], likest["statements"]) == (past["id"], 0)
    assert "像" in cli("similar", row.id).out


def test_the_log_of_duty_is_read_noted_in_and_refused_a_signature_on_the_command_line(tmp_path: Path) -> None:
    with judged(tmp_path, FIRE) as (cli, _):
        pass
    assert cli("dutylog", "--note", "来电").code == 2
    assert cli("dutylog", "--sign", "--by", "li").code == 2
    shown = cli.json("dutylog", "--note", "记者 23 点再来电", "--by", "chen")
    (shift,) = [one for one in shown["shifts"] if not one["over"]]
    assert [one["text"] for one in shift["notes"]] == ["记者 23 点再来电"]
    said = cli("dutylog")
    assert "记者 23 点再来电" in said.out
    assert "未签字" in said.out
    assert "才结束" in cli("dutylog", "--sign", "--shift", shift["id"], "--by", "li").err
    assert cli("dutylog", "--day", "2026-02-30").code == 1
