"""Kinds of opinion, drift, corrections against the champion, and the way back to earlier weights."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from models.classify.challenge import difference, worse
from models.classify.corpora import KINDS, kinds
from models.classify.drift import CHANGED, stability_index, unseen
from models.classify.judge import Judge, leaning
from models.classify.kind import NONE, allowed, through
from models.classify.weights_file import NAME, SHIPPED, WeightsError, keep_previous, load, roll_back
from models.core.text import canonical
from models.core.vocabulary import Medium, OpinionKind


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load()


# ── our own sentences ────────────────────────────────────────────────────────────────────────────


def rows() -> list[dict[str, object]]:
    return [json.loads(line) for line in KINDS.read_text(encoding="utf-8").splitlines()]


def test_there_are_enough_sentences_of_every_kind_and_most_are_worded_one_by_one() -> None:
    found = rows()
    per_kind = Counter(str(row["kind"]) for row in found)
    assert len(found) >= 1_500
    assert set(per_kind) == {*OpinionKind, NONE}
    assert min(per_kind.values()) >= 150
    assert sum(row["form"] == "written" for row in found) >= 1_000


def test_no_sentence_stands_twice_and_joined_ones_name_what_they_join() -> None:
    found = rows()
    by_id = {row["id"]: row for row in found}
    texts = [row["text"] for row in found]
    assert len(set(texts)) == len(texts)
    for row in found:
        if row["form"] == "joined":
            parts = [by_id[part] for part in row["of"]]  # type: ignore[attr-defined]
            assert {part["kind"] for part in parts} == {row["kind"]}
            assert {part["subject"] for part in parts} == {row["subject"]}


def test_a_subject_is_one_group_so_that_it_never_stands_on_both_sides_of_a_split() -> None:
    groups = {one.group for one in kinds()}
    assert groups == {row["subject"] for row in rows()}


# ── what is answered, on sentences that are not in the set ───────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("请问居住证需要什么材料,在哪里可以办", OpinionKind.UNINFORMED),
        ("建议在路口增设红绿灯,优化信号配时", OpinionKind.CONSTRUCTIVE),
        ("小区停水停电,老人出行困难,求助", OpinionKind.HARDSHIP),
        ("举报村干部贪污受贿,侵占集体资金", OpinionKind.MAJOR_PROBLEM),
        ("那条消息是谣言,纯属造谣", OpinionKind.FALSE_INFO),
        ("市网信办转办：网民反映路灯不亮，请城管局核实，明日反馈", OpinionKind.CAC_NOTICE),
        ("值班室接报：隧道内车辆起火，三人被困，目前网上没有传播", OpinionKind.NOT_YET_SPREAD),
        ("今天天气不错", None),
        ("", None),
    ],
)
def test_plain_sentences_find_their_kind(judge: Judge, text: str, kind: OpinionKind | None) -> None:
    assert judge.judge([text])[0].kind == (kind.value if kind else None)


def test_a_kind_that_sets_things_going_needs_its_words() -> None:
    assert not allowed("隧道内车辆起火,三人被困", OpinionKind.NOT_YET_SPREAD)
    assert allowed("接报:隧道内车辆起火,三人被困", OpinionKind.NOT_YET_SPREAD)
    assert not allowed("#隧道起火# 网上还没有人发,值班室说不知道", OpinionKind.NOT_YET_SPREAD)
    assert not allowed("请贵单位于明日反馈", OpinionKind.CAC_NOTICE)


def test_the_door_decides_what_the_words_cannot() -> None:
    spread = OpinionKind.NOT_YET_SPREAD.value
    assert through(Medium.CAC_NOTICE, None) == OpinionKind.CAC_NOTICE
    assert through(Medium.WEIBO, spread) is None
    assert through(Medium.MANUAL, spread) == spread
    assert through(Medium.WEIBO, "hardship") == "hardship"


def test_what_the_machine_saw_little_of_is_called_unsure(judge: Judge) -> None:
    clear, vague = judge.judge(["化工厂夜间偷排废气,臭味刺鼻,河水发黑,请环保局查处", "在吗"])
    assert not clear.topic_unsure
    assert vague.topic_unsure
    assert 0 <= vague.kind_chance <= 1


# ── the balance of sentiment ─────────────────────────────────────────────────────────────────────


def test_without_caution_the_score_is_the_difference_of_chances() -> None:
    chances = np.array([[0.2, 0.5, 0.3], [0.7, 0.2, 0.1]], np.float32)
    assert leaning(chances, 0.0) == pytest.approx(chances[:, 2] - chances[:, 0], abs=1e-5)
    assert (leaning(chances, 0.5) < leaning(chances, 0.0)).all()


def test_the_label_and_the_sign_of_the_score_never_disagree(judge: Judge) -> None:
    for one in judge.judge([str(row["text"]) for row in rows()][:400]):
        assert one.sentiment != "neg" or one.sentiment_score < 0
        assert one.sentiment != "pos" or one.sentiment_score >= 0


# ── hostile texts ────────────────────────────────────────────────────────────────────────────────


def strange() -> list[str]:
    dice = random.Random(3)
    mixed = "".join(
        chr(dice.choice((0x200B, 0x4E00 + dice.randrange(9_000), 0x1F600))) for _ in range(60_000)
    )
    return ["", "水" * 1_000_000, "😀👍" * 20_000, "\u200b" * 90_000, "未" * 2_000, "(" * 60_000, mixed]


@pytest.mark.parametrize("text", strange(), ids=["empty", "1MB", "emoji", "unseen", "未", "(", "mixed"])
def test_no_text_makes_the_judge_run_away(judge: Judge, text: str) -> None:
    began = time.perf_counter()
    found = judge.judge([text])
    assert len(found) == 1
    assert time.perf_counter() - began < 20  # milliseconds alone; a reader that runs away takes minutes


def test_unseen_and_wide_characters_do_not_change_the_kind(judge: Judge) -> None:
    plain = "举报村干部贪污受贿,侵占集体资金"
    hidden = "\u200b".join(plain)
    assert judge.judge([hidden])[0] == judge.judge([plain])[0]


# ── drift ────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_mix_has_not_drifted_and_another_has() -> None:
    usual = {"neg": 300, "neu": 500, "pos": 200}
    same = stability_index(usual, {"neg": 61, "neu": 99, "pos": 40})
    other = stability_index(usual, {"neg": 300, "neu": 50, "pos": 20})
    assert same is not None and same < 0.01
    assert other is not None and other > CHANGED


def test_too_few_answers_say_nothing() -> None:
    assert stability_index({"neg": 10}, {"neg": 500}) is None


def test_words_of_another_world_are_mostly_unseen() -> None:
    weights = load()
    ours = unseen(weights, [canonical("小区停水三天没人管,物业不接电话")])
    theirs = unseen(weights, ["ኢትዮጵያ አዲስ አበባ ጥሩ ነው", "ދިވެހިރާއްޖެ މާލެ"])
    assert ours < 0.1 < theirs
    assert unseen(weights, [""]) == 0.0


# ── corrections ──────────────────────────────────────────────────────────────────────────────────


def test_a_challenger_that_answers_the_same_gains_nothing() -> None:
    truth = np.array(["a", "b"] * 50)
    found = difference(truth, truth, truth)
    assert found["difference"] == 0
    assert found["difference_95"] == [0, 0]
    assert worse({"topic": {"labelled": found}}) == []


def test_a_challenger_that_is_surely_worse_is_named() -> None:
    truth = np.array(["a", "b"] * 100)
    guess = np.array(["a", "b", "b", "a"] * 50)
    assert worse({"topic": {"labelled": difference(truth, truth, guess)}}) == ["topic"]


def test_earlier_weights_come_back_and_go_again(tmp_path: Path) -> None:
    first = (SHIPPED / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(first)
    before = load(tmp_path).version
    keep_previous(tmp_path)
    with np.load(tmp_path / NAME) as file:
        arrays = {name: file[name] for name in file.files} | {"caution": np.float32(0.123)}
    np.savez_compressed(tmp_path / NAME, allow_pickle=False, **arrays)
    after = load(tmp_path).version
    assert before != after
    assert roll_back(tmp_path).version == before
    assert roll_back(tmp_path).version == after


def test_without_earlier_weights_nothing_is_changed(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes((SHIPPED / NAME).read_bytes())
    with pytest.raises(WeightsError, match="nothing was changed"):
        roll_back(tmp_path)
    assert load(tmp_path).version == load().version


def test_broken_earlier_weights_never_take_the_place_of_good_ones(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes((SHIPPED / NAME).read_bytes())
    (tmp_path / "judge.previous.npz").write_bytes(b"broken")
    with pytest.raises(WeightsError):
        roll_back(tmp_path)
    assert load(tmp_path).version == load().version
