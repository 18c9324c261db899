"""Whatever good words are put around it, a death stays a death: mood, concern and grade do not turn."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.judging.reading import Reading, read
from models.classify.judge import Judge
from models.core.moment import CST
from models.core.signals import RawSignal
from models.core.vocabulary import Medium

NOW = datetime(2026, 11, 21, 2, 13, tzinfo=CST)
HARM = (
    "化工厂爆炸造成三人死亡十二人受伤，家属称厂方瞒报。",
    "今早一工地坍塌，5人被埋，目前已确认2人遇难。",
    "养老院火灾致19人死亡，居民质疑救援迟缓",
    "大巴坠河，12人失踪，家属情绪崩溃！",
)
CHEER = (
    "感谢党和政府，生活越来越美好，加油！",
    "😊👍🎉",
    "为白衣天使点赞，正能量满满，祝福祖国繁荣昌盛。",
    "哈",
    "天气晴朗，阳光明媚，心情愉快。",
    "　\u200b",
    "<p>好消息</p>",
)


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load()


def seen(judge: Judge, text: str) -> Reading:
    signal = RawSignal("s", "1", Medium.WEIBO, "", text, published_at=NOW)
    return read(judge, [("1", signal, NOW)])[0]


@settings(max_examples=120, deadline=None)
@given(
    harm=st.sampled_from(HARM),
    before=st.lists(st.sampled_from(CHEER), max_size=6),
    after=st.lists(st.sampled_from(CHEER), max_size=6),
    often=st.integers(1, 40),
)
def test_padding_turns_no_death_into_good_news(
    judge: Judge, harm: str, before: list[str], after: list[str], often: int
) -> None:
    bare = seen(judge, harm)
    padded = seen(judge, "".join(before) * often + harm + "".join(after) * often)
    assert padded.judgement.sentiment != "pos"
    assert padded.worry.flagged
    assert padded.graded.grade >= bare.graded.grade
    assert padded.facts.deaths == bare.facts.deaths


def test_praise_for_the_dead_stays_praise(judge: Judge) -> None:
    """The sentence that tells of the harm may itself be a tribute."""
    found = seen(judge, "致敬英雄！愿3名牺牲的消防员一路走好，感谢你们的付出。")
    assert found.facts.deaths == 3
    assert found.worry.flagged
