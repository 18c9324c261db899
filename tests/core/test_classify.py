"""The classifiers: numbers that say what snownlp would say, one answer for each text, whatever it is."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.classify import features
from models.classify.bayes import NEG, POS, Bayes, Scorer, count_with_snownlp, to_snownlp
from models.classify.corpora import CorpusError, read
from models.classify.judge import Judge
from models.classify.linear import Bank, Head
from models.classify.weights_file import SHIPPED, WeightsError, load, save

TOPICS = {"城乡建设", "劳动和社会保障", "教育文体", "商贸旅游", "环境保护", "卫生计生", "交通运输"}


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load()


# ── snownlp's Bayes, in vector form ──────────────────────────────────────────────────────────────


def documents() -> list[tuple[list[int], bool]]:
    chance = random.Random(7)
    return [
        ([chance.randrange(60) for _ in range(chance.randrange(1, 30))], chance.random() < 0.4)
        for _ in range(50)
    ]


def vector_probability(bayes: Bayes, text: str) -> float:
    odds, _ = Scorer(bayes).odds(features.rows([text]))
    return 1 / (1 + math.exp(-float(odds[0])))


def test_the_counts_taken_from_snownlp_rebuild_the_same_snownlp_model() -> None:
    again = to_snownlp(count_with_snownlp(documents()))
    fresh = to_snownlp(count_with_snownlp(documents()))
    words = [3, 3, 17, 59, 1_000]
    assert again.classify(words) == fresh.classify(words)
    for label in (POS, NEG):
        assert again.d[label].getsum() == sum(again.d[label].d.values())


def test_the_vector_form_equals_snownlps_own_formula_on_its_own_training() -> None:
    sentences = [
        "感谢政府 修好了路",
        "路灯坏了没人管",
        "服务热情周到",
        "停水三天投诉无门",
        "孩子们很高兴",
        "垃圾遍地臭气熏天",
    ]
    bayes = count_with_snownlp(
        (features.token_buckets("".join(s.split())), good)
        for s, good in zip(sentences, [True, False, True, False, True, False], strict=True)
    )
    model = to_snownlp(bayes)
    for text in [*sentences, "路修好了孩子高兴", "没人管没人管没人管", "从未见过的字句"]:
        label, probability = model.classify(features.token_buckets("".join(text.split())))
        positive = probability if label == POS else 1 - probability
        assert vector_probability(bayes, text) == pytest.approx(positive, abs=1e-5)


def test_the_shipped_counts_score_as_snownlp_scores_them() -> None:
    bayes = load().bayes
    model = to_snownlp(bayes)
    for text in [
        "物业服务越来越好了",
        "工地半夜施工吵得睡不着",
        "希望早日康复",
        "这也太让人气愤了",
        "今天开会",
    ]:
        label, probability = model.classify(features.token_buckets(text))
        positive = probability if label == POS else 1 - probability
        assert vector_probability(bayes, text) == pytest.approx(positive, abs=1e-4)


def test_an_unseen_token_counts_one_in_both_classes() -> None:
    counts = np.zeros((2, features.TOKENS), np.int64)
    counts[POS, 5], counts[NEG, 9] = 4, 2
    assert Bayes(counts).log_odds()[100] == pytest.approx(math.log((1 / 4) / (1 / 2)))


# ── features ─────────────────────────────────────────────────────────────────────────────────────


def test_a_text_has_the_same_features_alone_and_in_a_batch() -> None:
    batch = ["供水中断", "", "道路积水严重,车辆无法通行", "供水中断"]
    whole = features.rows(batch)
    for place, text in enumerate(batch):
        alone = features.rows([text])
        here = whole.row == place
        assert whole.bucket[here].tolist() == alone.bucket.tolist()
        assert whole.count[here].tolist() == alone.count.tolist()


def test_spaces_do_not_change_the_features() -> None:
    assert features.rows(["停 水\n三 天"]).bucket.tolist() == features.rows(["停水三天"]).bucket.tolist()


def test_one_pair_falls_where_the_batch_puts_it() -> None:
    for pair in ("停水", "a1", "😀水"):
        assert features.pair_bucket(pair) in features.rows([pair]).bucket.tolist()


def test_pieces_of_a_batch_keep_every_text_in_order() -> None:
    batch = ["字" * length for length in (1, 70_000, 0, 3, 40_000, 2)] * 40
    assert [text for piece in features.chunks(batch) for text in piece] == batch
    assert list(features.chunks([])) == []


def test_a_bank_scores_the_cosine_of_weights_and_tf_idf() -> None:
    weights = np.zeros((features.WIDTH, 1), np.float32)
    found = features.rows(["停水停水"])
    weights[found.bucket[0], 0] = 2.0
    idf = np.full(features.WIDTH, 3.0, np.float32)
    score = Bank(idf, {"one": Head(("x",), weights, np.array([0.5], np.float32))}).scores(found)["one"]
    x = 3.0 * found.weight()
    assert score[0, 0] == pytest.approx(2.0 * x[0] / np.linalg.norm(x) + 0.5, rel=1e-5)


# ── weights ──────────────────────────────────────────────────────────────────────────────────────


def test_the_shipped_weights_are_numbers_only_and_small() -> None:
    path = SHIPPED / "judge.npz"
    assert path.stat().st_size <= 12_000_000
    with np.load(path, allow_pickle=False) as file:
        assert all(file[name].dtype.kind in "fuiU" for name in file.files)


def test_saving_what_was_loaded_gives_the_same_version(tmp_path: Path) -> None:
    weights = load()
    save(weights, tmp_path)
    assert load(tmp_path).version == weights.version


@pytest.mark.parametrize("content", [None, b"", b"not a zip file", b"PK\x03\x04 broken"])
def test_missing_or_broken_weights_are_named_with_the_way_out(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "judge.npz").write_bytes(content)
    with pytest.raises(WeightsError, match=r"judge\.npz.*huiying train"):
        Judge.load(tmp_path)


# ── judgement ────────────────────────────────────────────────────────────────────────────────────


def test_every_text_gets_one_judgement_in_order_with_all_its_parts(judge: Judge) -> None:
    texts = ["小区停水三天没人管", "感谢医护人员的付出", "请问灵活就业人员如何缴纳社保"]
    found = judge.judge(texts)
    assert len(found) == 3
    for one in found:
        assert one.sentiment in ("neg", "neu", "pos")
        assert -1 <= one.sentiment_score <= 1
        assert 0 <= one.topic_margin <= 1
        assert 0 <= one.rumour <= 1
        assert one.topic == one.topics[0].label
        assert {score.label for score in one.topics} <= TOPICS
        assert one.versions["judge"]
    assert [found[k] for k in (0, 1, 2)] == [judge.judge([text])[0] for text in texts]


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("单位拖欠农民工工资和社保,已半年没有发放,请劳动监察部门处理", "劳动和社会保障"),
        ("小学招生学位不足,老师有偿补课,请教育局管一管", "教育文体"),
        ("化工厂夜间偷排废气,臭味刺鼻,河水发黑,请环保局查处", "环境保护"),
        ("县医院门诊医生态度恶劣,手术出了医疗事故,请卫计部门处理", "卫生计生"),
        ("出租车拒载,公交班次太少,客运站乱收费", "交通运输"),
    ],
)
def test_plain_messages_find_their_topic(judge: Judge, text: str, topic: str) -> None:
    assert judge.judge([text])[0].topic == topic


def test_plain_feelings_are_told_apart(judge: Judge) -> None:
    bad, good = judge.judge(
        ["太让人愤怒了,这么多人被瞒报耽误,真是心寒气愤!", "向一线医护致敬!你们辛苦了,加油,平安归来!"]
    )
    assert bad.sentiment == "neg"
    assert good.sentiment == "pos"
    assert bad.sentiment_score < 0 < good.sentiment_score


def test_script_and_width_do_not_change_the_judgement(judge: Judge) -> None:
    simplified, traditional = judge.judge(["工厂偷排污水,居民投诉", "工廠偷排污水，居民投訴"])
    assert simplified == traditional


def test_an_empty_batch_gives_nothing_and_an_empty_text_gives_something(judge: Judge) -> None:
    assert judge.judge([]) == []
    assert len(judge.judge(["", " \n", "。"])) == 3


@pytest.mark.parametrize(
    "text", ["水" * 1_000_000, "😀" * 5_000, "\u200b" * 1_000, "\0" * 99, "<b>" * 40_000, "a" * 9, "\ud800"]
)
def test_strange_texts_are_judged_like_any_other(judge: Judge, text: str) -> None:
    assert judge.judge([text, "停水了"])[1] == judge.judge(["停水了"])[0]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=8))
def test_any_batch_gives_as_many_judgements_as_texts(texts: list[str]) -> None:
    assert len(SHARED.judge(texts)) == len(texts)


SHARED = Judge.load()


# ── corpora ────────────────────────────────────────────────────────────────────────────────────


def test_a_missing_set_and_a_broken_correction_are_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="topic_segmented_8283"):
        read(tmp_path)
    fixes = tmp_path / "fixes.jsonl"
    fixes.write_text(json.dumps({"text": "停水", "topic": "城乡建设"}) + "\n{oops\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"fixes\.jsonl:2"):
        read(tmp_path, fixes)
