"""huiying import, triage, same: signals by hand and the classifiers on their own."""

from __future__ import annotations

import json as json_
import sys
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from queue import Queue
from typing import Annotated, Any, TextIO

import typer

from connectors.mapping import RowError, from_message
from connectors.ports import ConnectorError
from flows.commands.common import JsonOption, SiteOption, fail, house, out, plainly, say
from flows.timekeeping import machine_now
from models.core.signals import RawSignal
from models.core.vocabulary import Medium

BATCH = 500
LONGEST_LINE = 2_000_000


def import_(
    files: Annotated[list[Path], typer.Argument(help="CSV、XLSX、JSON、JSONL(可 .gz)")],
    kind: Annotated[str, typer.Option(help="tickets 或 posts")] = "tickets",
    source: Annotated[str, typer.Option(help="信源标识；缺省取文件名")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """文件 → 线索。读不了的行连同原因进死信，其余照常。"""
    from connectors import tickets  # openpyxl is heavy: only an import pays for it
    from flows.ingest import Tally, store

    if kind not in ("tickets", "posts"):
        fail(f"--kind {kind} 不认识；可用: tickets posts", 2)
    tally, failed = Tally(), False
    with house(site) as opened:
        for path in files:
            try:
                say(f"{path.name}: {tickets.mapping_of(path).shown()}")
                for batch in tickets.read_batches(path, kind, source_id=source or path.name.split(".")[0]):
                    tally.add(store(opened, batch, source or path.name.split(".")[0]))
                    for rejected in batch.rejected[:3]:
                        say(f"  退回 {rejected.reason}")
            except (ConnectorError, OSError) as error:
                say(str(error) if str(path) in str(error) else f"{path}: {error}")
                failed = True
    out({name: getattr(tally, name) for name in ("read", "accepted", "duplicate", "rejected")})
    if failed or tally.rejected:
        raise typer.Exit(1)


def triage(
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="标准输入逐行 JSON → 标准输出逐行 JSON，不碰数据库")
    ] = False,
    window_hours: Annotated[int, typer.Option(help="归并时间窗，小时")] = 72,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """研判。不带 --jsonl 时研判站点中待办的线索。"""
    if jsonl:
        with plainly():
            _stream(sys.stdin, sys.stdout, timedelta(hours=window_hours))
        return
    from flows.triage import triage as run

    with house(site) as opened:
        done = run(opened)
    if json:
        out(vars(done))
    else:
        typer.echo(str(done))


def _stream(lines: TextIO, sink: TextIO, window: timedelta) -> None:
    """Lines are answered in order, one for one."""
    from flows.reading import read
    from flows.sorting import Sorter
    from models.classify.judge import Judge

    judge = Judge.load()
    sorter = Sorter(judge, window)
    clock = machine_now()
    for chunk in _chunks(lines):
        taken = [_read(number, line, clock) for number, line in chunk]
        good = [
            (str(number), one, one.published_at or clock)
            for number, one in taken
            if isinstance(one, RawSignal)
        ]
        verdicts = iter(sorter.sort(read(judge, good)))
        for _, one in taken:
            answer = _answer(one, next(verdicts)) if isinstance(one, RawSignal) else one
            sink.write(json_.dumps(answer, ensure_ascii=False) + "\n")
        sink.flush()


def _chunks(lines: Iterable[str]) -> Iterator[list[tuple[int, str]]]:
    """Whatever has come in, `BATCH` lines at the most: a fast writer gets large batches, one who
    waits for each answer gets it."""
    waiting: Queue[tuple[int, str] | None] = Queue(maxsize=4 * BATCH)
    threading.Thread(target=_take_in, args=(lines, waiting), name="stdin", daemon=True).start()
    ended = False
    while not ended:
        chunk = [waiting.get()]
        while len(chunk) < BATCH and chunk[-1] is not None and not waiting.empty():
            chunk.append(waiting.get())
        ended = chunk[-1] is None
        yield [line for line in chunk if line is not None]


def _take_in(lines: Iterable[str], waiting: Queue[tuple[int, str] | None]) -> None:
    for number, line in enumerate(lines, 1):
        if line.strip():
            waiting.put((number, line))
    waiting.put(None)


def _read(number: int, line: str, now: datetime) -> tuple[int, RawSignal | dict[str, Any]]:
    if len(line) > LONGEST_LINE:
        return number, {"line": number, "error": f"这一行超过 {LONGEST_LINE} 个字符；请拆开"}
    try:
        row = json_.loads(line)
    except (ValueError, RecursionError) as error:
        return number, {"line": number, "error": f"不是 JSON: {error}"}
    if not isinstance(row, dict):
        return number, {"line": number, "error": '应为一个对象，如 {"id": "1", "text": "…"}'}
    try:
        return number, from_message(row, source_id="stdin", medium=Medium.NEWS)
    except (RowError, ConnectorError) as error:
        return number, {"line": number, "id": row.get("id"), "error": str(error)}


def _answer(signal: RawSignal, verdict: Any) -> dict[str, Any]:
    """One line in the contract's shape."""
    judged = verdict.judgement
    return {
        "id": signal.external_id,
        "sentiment": judged.sentiment,
        "sentiment_score": judged.sentiment_score,
        "topic": judged.topic,
        "topic_margin": judged.topic_margin,
        "topics": [{"label": topic.label, "score": topic.score} for topic in judged.topics],
        "kind": verdict.kind.value if verdict.kind else None,
        "rumour": judged.rumour,
        "facts": verdict.facts.as_dict(),
        "event_type": verdict.event.value if verdict.event else None,
        "event_grade": grade.value if (grade := verdict.graded.part("event")) else None,
        "concern": verdict.concern,
        "incident": verdict.cluster,
        "link": {"score": verdict.link.score, "reason": verdict.link.reason} if verdict.link else None,
        "flagged": verdict.flagged,
        "grade": verdict.graded.grade.value,
        "reasons": list(verdict.reasons),
        "versions": dict(judged.versions),
    }


def same(
    jsonl: Annotated[bool, typer.Option("--jsonl", help='逐行 {"a","b"} → {"same","score"}')] = False,
) -> None:
    """两段文字说的是不是一件事。"""
    from models.classify.weights_file import load
    from models.core.cluster import same as alike
    from models.core.text import canonical

    if not jsonl:
        fail("用法: huiying same --jsonl < pairs.jsonl", 2)
    weight = load().rarity()
    for number, line in enumerate(sys.stdin, 1):
        if not line.strip():
            continue
        try:
            pair = json_.loads(line)
            is_same, score = alike(canonical(str(pair["a"])), canonical(str(pair["b"])), weight)
            out({"same": is_same, "score": score})
        except (ValueError, KeyError, TypeError) as error:
            out({"line": number, "error": f'应为 {{"a": …, "b": …}}: {error}'})
