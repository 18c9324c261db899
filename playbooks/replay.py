"""Past events against the limits of a library: met, missed, or not to be decided (`huiying replay`).

The file is a JSON list; each event has `id`, `name`, `event_time` and, where known, `event_time_latest`,
`first_official_…` and `press_conference_…` (`_earliest`, `_latest`, `_note`; times in ISO 8601, +08:00
when no offset is written) and `clock_5h_24h_applicable`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from models.core.clock import least
from models.core.hindsight import Took, Verdict, Window, took, verdict
from models.core.moment import parse_iso
from playbooks.book import Library
from playbooks.problem import Problem, Problems


@dataclass(frozen=True, slots=True)
class Ask:
    """A column of the answer: which clock of the library, and which times of the event meet it."""

    clock: str
    answer: str


ASKS = (
    Ask("first_statement", "first_official"),
    Ask("press_conference", "press_conference"),
    Ask("general_response", "first_official"),
)
APPLIES = {
    "yes": "适用",
    "counterfactual": "假设(当时尚无此规定)",
    "no": "不适用，按一般舆情",
    "arguable": "有争议",
}


@dataclass(frozen=True, slots=True)
class Found:
    """One limit of one event."""

    clock: str
    name: str
    limit: timedelta
    took: Took
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Replayed:
    """One event with what each limit comes to, and whether the rules were in force for it."""

    id: str
    name: str
    start: Window
    applies: str
    found: tuple[Found, ...]


def limits(library: Library) -> dict[str, tuple[str, timedelta]]:
    """clock id → its name and length. Raises KeyError for a clock that the library has not."""
    rules = {clock.rule.id: clock.rule for book in library.playbooks for clock in book.clocks}
    missing = [ask.clock for ask in ASKS if ask.clock not in rules]
    if missing:
        raise KeyError(f"参数集里没有时钟 {'、'.join(missing)}；请用 cn-national 或以它为底的参数集")
    return {ask.clock: (rules[ask.clock].name, least(rules[ask.clock].amount)) for ask in ASKS}


def replay(events: Sequence[Mapping[str, Any]], library: Library) -> list[Replayed]:
    """Every event against every limit, in the order given."""
    known = limits(library)
    return [_replayed(event, known) for event in events]


def _replayed(event: Mapping[str, Any], known: Mapping[str, tuple[str, timedelta]]) -> Replayed:
    start = Window(_time(event, "event_time"), _time(event, "event_time_latest"))
    found = []
    for ask in ASKS:
        name, limit = known[ask.clock]
        answer = _answer(event, ask.answer)
        length = took(start, answer)
        found.append(Found(ask.clock, name, limit, length, verdict(length, limit)))
    return Replayed(event["id"], event["name"], start, _applies(event), tuple(found))


EARLIER_ONE_NOT_CHECKED = re.compile("(是否另有|此前有无|此前是否)[^;；。]*未核")


def _answer(event: Mapping[str, Any], key: str) -> Window:
    """When it came. Where the note says that nobody has checked for an earlier one, how early is open."""
    doubted = EARLIER_ONE_NOT_CHECKED.search(event.get(f"{key}_note") or "")
    earliest = None if doubted else _time(event, f"{key}_earliest")
    return Window(earliest, _time(event, f"{key}_latest"))


def _time(event: Mapping[str, Any], key: str) -> datetime | None:
    return parse_iso(event[key]) if event.get(key) else None


def _applies(event: Mapping[str, Any]) -> str:
    """The file's own word for it, in Chinese where it is one of the four."""
    word = str(event.get("clock_5h_24h_applicable") or "yes")
    known = [zh for key, zh in APPLIES.items() if word.startswith(key) or f";{key}" in word]
    return "；".join(known) or word


def read(path: Path) -> list[dict[str, Any]]:
    """The events of a file. Raises Problems that name the event and the field."""
    try:
        given = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Problems([Problem(str(path), 1, 1, f"读不了: {error.strerror}", "核对路径")]) from None
    except UnicodeDecodeError:
        raise Problems([Problem(str(path), 1, 1, "不是 UTF-8 文本", "另存为 UTF-8")]) from None
    except json.JSONDecodeError as error:
        where = Problem(str(path), error.lineno, error.colno, f"不是 JSON: {error.msg}", "核对这一行")
        raise Problems([where]) from None
    if not isinstance(given, list):
        raise Problems([Problem(str(path), 1, 1, "应是一个 JSON 列表，每项一起事件", "写成 [{…}, {…}]")])
    problems = [problem for n, event in enumerate(given, 1) for problem in _wrong(path, n, event)]
    if problems:
        raise Problems(problems)
    return given


def _wrong(path: Path, number: int, event: Any) -> list[Problem]:
    """What keeps one event from being replayed."""
    if not isinstance(event, dict):
        return [Problem(str(path), 1, 1, f"第 {number} 项不是事件", "写成 {…}")]
    label = f"第 {number} 起事件 {event.get('id', '')}".rstrip()
    missing = [key for key in ("id", "name", "event_time") if not event.get(key)]
    found = [Problem(str(path), 1, 1, f"{label} 缺少 {key}", "补上") for key in missing]
    for key, value in event.items():
        if value and key.endswith(("_time", "_latest", "_earliest")):
            try:
                parse_iso(str(value))
            except ValueError:
                message = f"{label} 的 {key} “{value}” 不是时间"
                found.append(Problem(str(path), 1, 1, message, "写成 2026-11-21T02:13"))
    return found
