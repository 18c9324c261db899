"""huiying import, triage, same: signals by hand and the classifiers on their own."""

from __future__ import annotations

import json as json_
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from connectors.mapping import RowError, from_message
from connectors.ports import ConnectorError
from flows.commands.common import JsonOption, SiteOption, fail, house, out, plainly, say
from flows.timekeeping import machine_now
from flows.wiring import House
from models.core.personal import mask_personal
from models.core.signals import RawSignal
from models.core.text import visible
from models.core.topics import Path as Branch
from models.core.topics import Tree
from models.core.vocabulary import Medium, TicketKind

if TYPE_CHECKING:
    from flows.collecting.filing import Columns
    from flows.collecting.intake import Tally

BATCH = 500
LONGEST_LINE = 2_000_000
SHOWN = 3
"""Refused rows of a file that are told at once; the others are counted."""


def import_(
    files: Annotated[list[Path], typer.Argument(help="CSV、XLSX、JSON、JSONL(可 .gz)")],
    kind: Annotated[
        str,
        typer.Option(
            help="tickets 或 posts，或工单种类: 12345 领导信箱 网信通报 …；opml 把订阅清单加进 sources.yaml"
        ),
    ] = "tickets",
    source: Annotated[str, typer.Option(help="信源标识；缺省取文件名")] = "",
    show_mapping: Annotated[
        bool, typer.Option("--show-mapping", help="只看列怎么对应；写了 --source 就存进 mappings/")
    ] = False,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """文件 → 线索。读不了的行连同原因进死信，其余照常。"""
    from flows.collecting.intake import Tally
    from flows.commands.subscribing import import_opml

    if kind == "opml":
        import_opml(files, site)
        return
    group, medium = _kind(kind)
    tally, failed = Tally(), False
    with house(site) as opened:
        for path in files:
            try:
                if show_mapping:
                    _show_mapping(opened, path, source)
                else:
                    _import_one(opened, path, group, medium, source, tally)
            except (ConnectorError, OSError) as error:
                say(str(error) if str(path) in str(error) else f"{path}: {error}")
                failed = True
    if not show_mapping:
        out({name: getattr(tally, name) for name in ("read", "accepted", "duplicate", "rejected")})
    if failed or tally.rejected:
        raise typer.Exit(1)


def _kind(kind: str) -> tuple[str, Medium | None]:
    if kind in ("tickets", "posts"):
        return kind, None
    if kind not in list(TicketKind):
        fail(f"--kind {kind} 不认识；可用: tickets posts opml {' '.join(TicketKind)}", 2)
    return "tickets", TicketKind(kind).medium


def _import_one(
    opened: House, path: Path, group: str, medium: Medium | None, source: str, tally: Tally
) -> None:
    from connectors import tickets  # openpyxl is heavy: only an import pays for it
    from flows.collecting.filing import Columns
    from flows.collecting.intake import store

    source_id = source or path.name.split(".")[0]
    columns = Columns(opened, source_id, keep=bool(source))
    count, heard = 0, False
    with Progress(path, sys.stderr) as progress:
        for batch in tickets.read_batches(
            path, group, source_id=source_id, medium=medium, mapping=columns.mapping, told=columns.heard
        ):
            heard = heard or _say_columns(progress, path, columns)
            tally.add(store(opened, batch, source_id))
            for rejected in batch.rejected[: max(0, SHOWN - count)]:
                progress.say(visible(f"  退回 {mask_personal(rejected.reason)}"))
            count += len(batch.rejected)
            progress.add(batch.read)
    if count > SHOWN:
        say(f"  退回共 {count} 行，都在死信里；查看: huiying deadletters list --source {source_id}")


def _say_columns(progress: Progress, path: Path, columns: Columns) -> bool:
    """Once for each file: which column feeds what, where that is kept, and what has changed."""
    if columns.used is not None:
        progress.say(visible(f"{path.name}: {columns.used.shown()}"))
    if columns.saved_to is not None:
        progress.say(f"  列对应已存为 {columns.saved_to}，可以改")
    for note in columns.notes:
        progress.say(f"  {note}")
    return True


def _show_mapping(opened: House, path: Path, source: str) -> None:
    """The mapping of a file, saved when a source is named and has none; nothing is imported."""
    from connectors import tickets
    from flows.collecting.filing import Columns

    columns = Columns(opened, source or path.name.split(".")[0], keep=bool(source))
    next(tickets.read_batches(path, source_id="-", mapping=columns.mapping, told=columns.heard, size=1), None)
    used = columns.used or columns.mapping or tickets.mapping_of(path)
    typer.echo(f"{path.name}:\n{used.shown()}")
    for note in columns.notes:
        say(note)
    if columns.saved_to is not None:
        say(f"已存为 {columns.saved_to}；改好后再导入")
    elif not source:
        say("没有存；加 --source 信源标识 就存为 mappings/标识.yaml")


class Progress:
    """How far an import is, on one line of a terminal; silent where nobody looks (a pipe, a log)."""

    def __init__(self, path: Path, screen: TextIO) -> None:
        self._screen = screen
        self._shown = screen.isatty()
        self._total = _lines_of(path) if self._shown else 0
        self._name, self._count, self._began = path.name, 0, time.monotonic()

    def __enter__(self) -> Progress:
        if self._shown:  # a large workbook is taken apart for half a minute before its first row
            self._screen.write(f"{self._name}  正在打开…")
            self._screen.flush()
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._screen.write("\n" if self._count else "\r\x1b[K")

    def say(self, text: str) -> None:
        if self._shown:
            self._screen.write("\r\x1b[K")
        say(text)

    def add(self, rows: int) -> None:
        self._count += rows
        if self._shown:
            self._screen.write(f"\r\x1b[K{self._line()}")
            self._screen.flush()

    def _line(self) -> str:
        speed = self._count / max(time.monotonic() - self._began, 0.001)
        done = min(self._count / self._total, 1.0) if self._total else 0.0
        bar = f" {'█' * round(20 * done):░<20} {done:.0%}" if self._total else ""
        return f"{self._name}{bar}  {self._count:,} 行，每秒 {speed:,.0f} 行"


def _lines_of(path: Path) -> int:
    """About how many rows a text file has; 0 where only reading it would tell."""
    if not path.name.lower().endswith((".csv", ".tsv", ".jsonl", ".ndjson", ".txt")):
        return 0
    try:
        with path.open("rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(2**20), b""))
    except OSError:
        return 0


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
            _stream(sys.stdin, sys.stdout, timedelta(hours=window_hours), _topics_of(site))
        return
    from flows.triage import triage as run

    with house(site) as opened:
        done = run(opened)
    if json:
        out(vars(done))
    else:
        typer.echo(str(done))


def _topics_of(directory: Path | None) -> tuple[Branch, ...]:
    """The classification of a site that was named; without one there is none."""
    from playbooks.site import load_site

    return (
        load_site(directory, os.environ).topics if directory and (directory / "site.yaml").is_file() else ()
    )


def _stream(lines: TextIO, sink: TextIO, window: timedelta, topics: tuple[Branch, ...] = ()) -> None:
    """Lines are answered in order, one for one."""
    from flows.judging.hotsearch import noticed
    from flows.judging.reading import read
    from flows.judging.sorting import Sorter
    from models.classify.attention import Attention
    from models.classify.judge import Judge

    judge, ranking = Judge.load(), Attention.load()
    tree = Tree(topics, judge.rarity) if topics else None
    sorter = Sorter(judge, window)
    clock = machine_now()
    for chunk in _chunks(lines):
        taken = [_read(number, line, clock) for number, line in chunk]
        good = [
            (str(number), one, one.published_at or clock)
            for number, one in taken
            if isinstance(one, RawSignal)
        ]
        verdicts = iter(sorter.sort(noticed(read(judge, good, tree=tree), ranking)))
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
    """One line in the contract's shape; `topics` of the site's own tree stand after the seven classes."""
    from flows.judging.rows import filed_rows

    judged = verdict.judgement
    return {
        "id": signal.external_id,
        "sentiment": judged.sentiment,
        "sentiment_score": judged.sentiment_score,
        "topic": judged.topic,
        "topic_margin": judged.topic_margin,
        "topic_unsure": judged.topic_unsure,
        "topics": [
            *({"label": topic.label, "score": topic.score} for topic in judged.topics),
            *(filed_rows(verdict.filing) if verdict.filing else ()),
        ],
        "kind": verdict.kind.value if verdict.kind else None,
        "rumour": judged.rumour,
        "facts": verdict.facts.as_dict(),
        "event_type": verdict.event.value if verdict.event else None,
        **_details(verdict),
        "event_grade": grade.value if (grade := verdict.graded.part("event")) else None,
        "concern": verdict.concern,
        "incident": verdict.cluster,
        "link": {"score": verdict.link.score, "reason": verdict.link.reason} if verdict.link else None,
        "flagged": verdict.flagged,
        "grade": verdict.graded.grade.value,
        "reasons": list(verdict.reasons),
        "versions": dict(judged.versions),
    }


def _details(verdict: Any) -> dict[str, Any]:
    """Kind of event, place and time with the words they were read from; null where the text says nothing."""
    from flows.judging.rows import details

    found = details(verdict)
    keys = ("event_subtype", "event_reason", "place", "occurred")
    return {key: found.get(key) for key in keys} | {"spans": found.get("spans", [])}


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
