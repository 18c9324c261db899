"""YAML files → plain data that remembers where each key and value stands.

The only home of ruamel.yaml, and only of its event parser: building the data here keeps it
YAML 1.2 (no `on` → true, no 12:30 → 750, a date stays text), bounded, without tags and aliases.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from playbooks.problem import Problem, Problems, did_you_mean

__all__ = ["Document", "Mark", "Problem", "Problems", "did_you_mean", "load", "parse"]

MAX_BYTES = 1_000_000
MAX_NODES = 50_000
MAX_DEPTH = 40
MAX_LINE = 20_000
MAX_PROBLEMS = 100
"""A real roster of 1,000 people has about 15,000 values, six levels deep."""

STRING_TAG = "tag:yaml.org,2002:str"
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file, counted from 1 as editors do."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """A file's data (dict, list, str, int, float, bool, None) and the place of every key path."""

    file: str
    data: Any
    keys: Mapping[KeyPath, Mark]
    values: Mapping[KeyPath, Mark]

    def at(self, path: KeyPath, *, key: bool = False) -> Mark:
        """Where `path` stands: its key or its value; else the nearest thing around it."""
        if key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Mark(1, 1))

    def problem(
        self, path: KeyPath, message: str, hint: str = "", *, key: bool = False, warning: bool = False
    ) -> Problem:
        mark = self.at(path, key=key)
        return Problem(self.file, mark.line, mark.column, message, hint, warning)


def load(path: Path | str) -> Document:
    """Read one file. Raises Problems when it cannot be read, decoded or parsed."""
    path = Path(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _one(
            str(path), 1, 1, f"文件读不出来：{error.strerror or error}", "检查路径和读取权限"
        ) from None
    return parse(raw, str(path))


def parse(source: bytes | str, file: str = "<text>") -> Document:
    """Parse YAML text (UTF-8, with or without BOM). Raises Problems with all that was found."""
    raw = source.encode() if isinstance(source, str) else source
    if len(raw) > MAX_BYTES:
        raise _one(file, 1, 1, "文件超过 1 MB", "拆成几个文件")
    text = _decode(raw, file)
    _short_lines(text, file)
    if hidden := _hidden(text, file):
        raise Problems(hidden)
    builder = _Builder(file)
    try:
        data = builder.build(YAML(typ="safe", pure=True).parse(text))
    except YAMLError as error:
        raise Problems([*builder.problems, *_syntax(error, text, file)]) from None
    wide = _wide_lines(text, file) if isinstance(data, str) else []
    if builder.problems or wide:
        raise Problems([*builder.problems, *wide])
    return Document(file, data, builder.keys, builder.values)


def _one(file: str, line: int, column: int, message: str, hint: str = "") -> Problems:
    return Problems([Problem(file, line, column, message, hint)])


def _decode(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise _one(file, line, column, f"不是 UTF-8 编码{_looks_like(raw)}", "用编辑器另存为 UTF-8") from None


def _short_lines(text: str, file: str) -> None:
    """The event parser takes seconds over one enormous token: refuse it before."""
    for n, line in enumerate(text.splitlines(), 1):
        if len(line) > MAX_LINE:
            raise _one(file, n, MAX_LINE, f"这一行超过 {MAX_LINE} 个字符", "分成几行")


_UNSEEN = re.compile("[\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]")
_ODD_INDENT = re.compile(
    r"^[ \t]*([\u00a0\u2000-\u200a\u202f\u205f\u3000])\s*(?:-\s+)?[A-Za-z_][\w-]*\s*[:：]"
)


def _hidden(text: str, file: str) -> list[Problem]:
    """Characters that nobody sees and that change what is read: odd blanks before a key (a paragraph of a text
    may begin with them), marks without width."""
    found: list[Problem] = []
    for n, line in enumerate(text.split("\n"), 1):
        odd, unseen = _ODD_INDENT.match(line), _UNSEEN.search(line)
        if odd:
            what = "全角空格" if odd[1] == "\u3000" else "不间断空格等特殊空格"
            found.append(Problem(file, n, odd.start(1) + 1, f"缩进用了{what}", "换成半角空格"))
        elif unseen:
            where = unseen.start() + 1
            found.append(Problem(file, n, where, f"有看不见的字符 U+{ord(unseen[0]):04X}", "删掉它重新输入"))
    return found[:MAX_PROBLEMS]


def _looks_like(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "，看起来是 UTF-16"
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return "，看起来是 GB18030"


class _Builder:
    """Events → data. Recursion is bounded by MAX_DEPTH, work by MAX_NODES."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.keys: dict[KeyPath, Mark] = {}
        self.values: dict[KeyPath, Mark] = {}
        self.problems: list[Problem] = []
        self.nodes = 0
        self._events: Iterator[Event] = iter(())

    def build(self, events: Iterator[Event]) -> Any:
        self._events = events
        data: Any = None
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._add(event, "一个文件只放一份内容，这里又出现了 “---”", "拆成两个文件")
                    return data
            elif isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent | AliasEvent):
                data = self._node(event, ())
        return data

    def _node(self, event: Event, path: KeyPath) -> Any:
        self.values[path] = _mark(event)
        self._bound(event, path)
        if isinstance(event, AliasEvent):
            return self._add(event, "不接受引用 “*”（锚点与别名）", "把内容照写一遍")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!", STRING_TAG):
            self._add(event, f"不接受类型标记 “{str(tag)[:40]}”", "去掉它")
        if isinstance(event, MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(path, bool(event.flow_style))
        return self._scalar(event) if isinstance(event, ScalarEvent) else None

    def _bound(self, event: Event, path: KeyPath) -> None:
        self.nodes += 1
        many, deep = self.nodes > MAX_NODES, len(path) > MAX_DEPTH
        if many or deep or len(self.problems) >= MAX_PROBLEMS:
            if many or deep:
                limit = f"超过 {MAX_NODES} 个值" if many else f"嵌套超过 {MAX_DEPTH} 层"
                self._add(event, f"内容{limit}，不再读下去", "拆成几个文件")
            raise Problems(self.problems)

    def _mapping(self, path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in self._events:
            if isinstance(event, MappingEndEvent):
                break
            key = self._key(event, path)
            mark = _mark(event)
            if key in found:
                first = self.keys[(*path, key)]
                self._add(event, f"键 “{key}” 重复了", f"第 {first.line} 行已经有它，留一个")
                self._node(next(self._events), (*path, f"{key} (重复)"))
                continue
            self.keys[(*path, key)] = mark
            found[key] = self._node(next(self._events), (*path, key))
        return found

    def _key(self, event: Event, path: KeyPath) -> str:
        if isinstance(event, ScalarEvent):
            key = str(event.value)
            if event.style is None and re.match(r"[A-Za-z_][A-Za-z0-9_ -]*：", key):
                self._add(event, "键后面用了全角冒号 “：”", "换成半角冒号加空格 “: ”")
            return key
        self._add(event, "键只能是文字")
        self._node(event, (*path, "?"))
        return "?"

    def _sequence(self, path: KeyPath, flow: bool) -> list[Any]:
        found: list[Any] = []
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                break
            if flow and isinstance(event, ScalarEvent) and event.style is None and "，" in str(event.value):
                self._add(event, "列表里用了全角逗号 “，”", "换成半角逗号 “,”")
            found.append(self._node(event, (*path, len(found))))
        return found

    def _scalar(self, event: ScalarEvent) -> Any:
        text = str(event.value)
        if event.style or event.tag:
            return text
        if len(text) > 1 and text[0] in "“‘" and text[-1] in "”’":
            self._add(
                event,
                f"用了全角引号 {text[0]} {text[-1]}",
                '换成半角引号 " 或去掉；确实要它就再套一层半角引号',
            )
        if text[:1] in ("“", "‘") and not any(mark in text for mark in "”’"):
            self._add(event, f"全角引号 {text[0]} 没有闭合", '换成半角引号 " 成对写')
        return _plain(text)

    def _add(self, event: Event, message: str, hint: str = "") -> None:
        mark = _mark(event)
        self.problems.append(Problem(self.file, mark.line, mark.column, message, hint))


def _mark(event: Event) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# a number with a leading zero stays text: it is an area code or a telephone number
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,18}\.[0-9]{1,18})(?:[eE][-+]?[0-9]{1,3})?")


def _plain(text: str) -> Any:
    """A plain scalar by the core schema of YAML 1.2."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


# ---- syntax errors in words an author understands ------------------------------------------

_WIDE_COLON = re.compile(r"^\s*(?:-\s+)*\{?\s*[A-Za-z_][A-Za-z0-9_ -]*(：)")


def _syntax(error: YAMLError, text: str, file: str) -> list[Problem]:
    wide = _wide_lines(text, file)
    if wide:
        return wide
    if isinstance(error, ReaderError):
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return [Problem(file, line, column, "有不可见的控制字符", "删掉它重新输入")]
    mark = getattr(error, "problem_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    message, hint = _words(error, text.splitlines()[line - 1] if 0 < line <= len(text.splitlines()) else "")
    return [Problem(file, line, column, message, hint)]


def _wide_lines(text: str, file: str) -> list[Problem]:
    found = ((n, _WIDE_COLON.match(line)) for n, line in enumerate(text.splitlines(), 1))
    return [
        Problem(file, n, match.start(1) + 1, "键后面用了全角冒号 “：”", "换成半角冒号加空格 “: ”")
        for n, match in found
        if match
    ]


_SYNTAX = (
    ("mapping values are not allowed", "这里不该有 “: ”", "检查上一行的缩进；值里含有 “: ” 时整个加引号"),
    ("could not find expected ':'", "键后面缺少 “: ”", "写成 “键: 值”"),
    ("expected <block end>", "缩进对不上", "同一层的键对齐到同一列，只用空格"),
    ("unexpected end of stream", "引号没有闭合", "补上结尾的引号"),
    ("expected ',' or", "方括号或花括号没有闭合，或缺少逗号", "补上 “]”、“}” 或 “,”"),
    ("cannot start any token", "值不能以这个符号开头", "给整个值加上引号"),
    ("found undefined alias", "不接受引用 “*”（锚点与别名）", "把内容照写一遍"),
    ("expected the node content", "这里缺少一个值", "补上值或删掉多余的符号"),
)


def _words(error: YAMLError, line: str) -> tuple[str, str]:
    problem = (error.problem or "") if isinstance(error, MarkedYAMLError) else str(error)
    wide = next((mark for mark in line if mark in "｛｝［］"), "")
    if wide:
        return f"用了全角括号 “{wide}”", f"换成半角 “{unicodedata.normalize('NFKC', wide)}”"
    if "\t" in line[: len(line) - len(line.lstrip())] or "'\\t'" in problem:
        return "用了制表符 (Tab) 缩进", "换成空格"
    for english, chinese, hint in _SYNTAX:
        if english in problem:
            return chinese, hint
    return f"YAML 语法错误：{problem[:200]}", ""
