"""The ranking of hot-search titles: its numbers, and what becomes of a title that ranks high."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from flows.judging.hotsearch import noticed
from flows.judging.reading import read
from models.classify import attention
from models.classify.attention import Attention
from models.classify.features import WIDTH
from models.classify.judge import Judge
from models.classify.weights_file import WeightsError
from models.core.signals import RawSignal
from models.core.text import canonical
from models.core.vocabulary import Medium
from support.duty import MIDNIGHT

EVERYTHING = -99.0


@pytest.fixture(scope="module")
def shipped() -> Attention:
    return Attention.load()


def test_what_draws_an_answer_ranks_above_what_does_not(shipped: Attention) -> None:
    asked = ["网友举报幼儿园老师打孩子", "男子在地铁站持刀伤人", "游客称在景区被强制消费"]
    idle = ["某某演唱会开票", "今天立秋", "新剧大结局好甜"]
    scores = shipped.scores([canonical(text) for text in (*asked, *idle)])
    assert min(scores[:3]) > max(scores[3:])


def test_an_empty_title_is_no_fault(shipped: Attention) -> None:
    assert np.isfinite(shipped.scores(["", "，。", "一" * 50_000])).all()
    assert shipped.scores([]).size == 0


def flags(medium: Medium, title: str, ranking: Attention) -> tuple[bool, tuple[str, ...]]:
    judge = Judge.load()
    [one] = read(judge, [("1", RawSignal("hot", "1", medium, title, ""), MIDNIGHT)])
    [seen] = noticed([one], ranking)
    return seen.worry.flagged, seen.worry.reasons


def test_only_titles_of_hot_search_lists_are_flagged_and_answers_are_not(shipped: Attention) -> None:
    all_high = Attention(shipped.weights, shipped.idf, shipped.bias, EVERYTHING)
    flagged, reasons = flags(Medium.HOT_SEARCH, "某地楼盘放烟花", all_high)
    assert flagged
    assert "会有官方回应" in reasons[-1]
    assert not flags(Medium.WEIBO, "某地楼盘放烟花", all_high)[0]
    assert not flags(Medium.HOT_SEARCH, "官方回应某地楼盘放烟花", all_high)[0]


def test_weights_of_another_shape_are_refused_with_the_way_out(tmp_path: Path) -> None:
    Attention(np.zeros(9, np.float32), np.zeros(9, np.float32), 0.0, 0.0).save(tmp_path)
    with pytest.raises(WeightsError, match="huiying train"):
        Attention.load(tmp_path)
    with pytest.raises(WeightsError, match="huiying train"):
        Attention.load(tmp_path / "nowhere")


def write(path: Path, rows: list[dict[str, object]]) -> None:
    import gzip

    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_bytes(gzip.compress(text.encode()))


def test_it_learns_from_titles_that_were_answered_and_keeps_only_numbers(tmp_path: Path) -> None:
    days, links = [], []
    for n in range(40):
        day = MIDNIGHT + timedelta(days=n)
        asked, answer = f"{n}号井盖伤人事件", f"官方通报{n}号井盖伤人事件"
        days.append(
            {"day": f"{day:%Y-%m-%d}", "seen": [["08:00", [asked, f"歌手{n}开唱"]], ["20:00", [answer]]]}
        )
        links.append(
            {
                "first_seen": f"{day:%Y-%m-%d} 08:00", "first_title": asked,
                "official_seen": f"{day:%Y-%m-%d} 20:00", "official_title": answer,
            }
        )  # fmt: skip
    write(tmp_path / f"{attention.STREAM}.jsonl.gz", days)
    write(tmp_path / f"{attention.LINKS}.jsonl.gz", links)
    titles = attention.stream(tmp_path)
    answered = attention.events(tmp_path, titles)
    assert {titles[n].shown for n in answered[3].members} == {"3号井盖伤人事件"}
    made = attention.fit(titles, answered, titles[-1].at)
    high, low = made.scores(["99号井盖伤人事件", "歌手99开唱"])
    assert high > low
    made.save(tmp_path)
    again = Attention.load(tmp_path)
    assert again.weights.shape == (WIDTH,)
    assert np.allclose(again.scores(["99号井盖伤人事件"]), high, atol=0.05)
