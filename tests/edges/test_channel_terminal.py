"""Alerts on a terminal, readable at 02:13 and harmless whatever is in them."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from connectors.channels.terminal import Terminal
from connectors.ports import Message, Outcome
from support.kits import message, several


def on_terminal(**changes: Any) -> str:
    stream = io.StringIO()
    assert Terminal("term", stream).send(message(**changes)).outcome is Outcome.ACCEPTED
    return stream.getvalue()


def test_the_terminal_says_who_level_why_due_and_how_to_take_it() -> None:
    told = on_terminal()
    for part in (
        "橙 · II 级 重大",
        "化工园区爆燃",
        "王带班（市政府办公室）",
        "第 2 级",
        "死亡 10 人，达到重大事故标准",
        "11-21 07:10 前，还剩 1 小时 14 分（临期）",
        "国办发〔2016〕80号",
        "huiying ack 舆-2026-0012 --by wang",
        "http://b.example/incidents/1",
    ):
        assert part in told


def test_a_late_alert_and_a_resend_say_so() -> None:
    told = on_terminal(late_by_s=720, attempt=3)
    assert "本提醒晚发 12 分" in told and "第 3 次发送" in told
    assert "说明" not in on_terminal()


def test_an_overdue_clock_is_called_overdue() -> None:
    assert "已逾期 2 小时 10 分" in on_terminal(sent_at="2026-11-21T09:20:00+08:00")


def test_outside_text_cannot_move_the_cursor_or_turn_a_line_round() -> None:
    told = on_terminal(reason="a\x1b[2Jb\u202ec\r\nd\x07", recipient={"person": "\x1b]0;x\x07"})
    assert not any(sign in told for sign in ("\x1b", "\u202e", "\r", "\x07"))


def test_no_line_is_wider_than_the_terminal() -> None:
    told = on_terminal(reason="供水异味" * 60 + " end " + "word " * 30)
    wide = [sum(2 if ord(letter) > 0x2E80 else 1 for letter in line) for line in told.splitlines()]
    assert max(wide) <= 78


def test_an_alert_with_nothing_but_words_still_reads_well() -> None:
    stream = io.StringIO()
    Terminal("term", stream).send(
        Message("al-8", "告警 1", "chen", "来源静默", "临江新闻网 3 小时无更新", {})
    )
    assert "来源静默" in stream.getvalue() and "临江新闻网 3 小时无更新" in stream.getvalue()


def test_a_terminal_that_knows_no_chinese_gets_question_marks_not_an_error() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    assert Terminal("term", stream).send(message()).outcome is Outcome.ACCEPTED
    assert b"huiying ack" in raw.getvalue()


def test_a_closed_terminal_is_a_passing_no_and_check_says_so() -> None:
    stream = io.StringIO()
    stream.close()
    closed = Terminal("term", stream)
    assert closed.send(message()).outcome is Outcome.RETRY
    assert "closed" in str(closed.check())


def test_blocks_from_many_threads_never_mix() -> None:
    stream = io.StringIO()
    one = Terminal("term", stream)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: one.send(message(reason=f"第{n}条")), range(40)))
    blocks = stream.getvalue().strip("\n").split("\n\n")
    assert len(blocks) == 40 and all(block.count("缘由") == 1 for block in blocks)


def test_the_terminal_lists_every_alert_of_a_message() -> None:
    stream = io.StringIO()
    Terminal("term", stream).send(several(4))
    told = stream.getvalue()
    assert [f"舆-2026-{n:04} 首次发布 50%" in told for n in (100, 101, 102)] == [True] * 3
    assert told.count("另有") == 1
    short = io.StringIO()
    Terminal("term", short, style="line").send(several(4))
    assert "（另 3 条）" in short.getvalue() and short.getvalue().count("\n") == 1


def test_a_notice_shows_its_own_title_and_page() -> None:
    told = on_terminal(
        kind="notice", title="陈值班 联系不上", url="http://b.example/", incident={"id": "1", "title": "火灾"}
    )
    assert "陈值班 联系不上" in told and "http://b.example/" in told
