"""topics.csv: the site's own classification of topics, one path a row, three levels at the most.

It comes out of the hotline's own system, so it stays a table. What it is for: `models.core.topics`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from models.core.topics import LEVELS, MOST
from models.core.topics import Path as Branch
from playbooks.problem import Problem, Problems, errors

HEADER: Final = ("一级分类", "二级分类", "三级分类")
LONGEST: Final = 60  # characters of a label
BIGGEST: Final = 4_000_000  # bytes

Found = Branch | Problem


def read_topics(path: Path) -> tuple[tuple[Branch, ...], list[Problem]]:
    """The paths of the file, with what is odd in it. Raises Problems with every error at its line."""
    found = list(_read(path))
    problems = [one for one in found if isinstance(one, Problem)]
    if errors(problems):
        raise Problems(errors(problems))
    return tuple(dict.fromkeys(one for one in found if not isinstance(one, Problem))), problems


def is_topics(path: Path) -> bool:
    """Has the file the heading of a classification?"""
    try:
        return path.read_bytes()[:200].decode("utf-8-sig", "replace").startswith(HEADER[0])
    except OSError:
        return False


def _read(path: Path) -> Iterator[Found]:
    try:
        text = _text(path)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        yield Problem(str(path), 1, 1, f"主题分类表读不了：{error}", "另存为 UTF-8 的 CSV，不超过 4 MB")
        return
    reader = csv.reader(text.splitlines())
    try:
        yield from _rows(str(path), reader)
    except csv.Error as error:
        yield Problem(str(path), reader.line_num, 1, f"这一行不是 CSV：{error}", "检查引号和逗号")


def _text(path: Path) -> str:
    raw = path.read_bytes()
    if len(raw) > BIGGEST:
        raise ValueError(f"有 {len(raw):,} 字节")
    return raw.decode("utf-8-sig")


def _rows(file: str, reader: Iterable[list[str]]) -> Iterator[Found]:
    lines = enumerate(reader, 1)
    _, header = next(lines, (1, []))
    if tuple(cell.strip() for cell in header) != HEADER:
        yield Problem(file, 1, 1, f"表头不是 {','.join(HEADER)}", "第一行照此写，三级分类可以空着")
        return
    first: dict[Branch, int] = {}
    for line, cells in lines:
        if any(cell.strip() for cell in cells):
            yield from _row(file, line, [cell.strip() for cell in cells], first)
    if not first:
        yield Problem(
            file, 1, 1, "主题分类表里没有一行分类", "从热线系统导出分类，或在 site.yaml 去掉 topics"
        )
    if len(first) > MOST:
        message = f"有 {len(first):,} 条分类，最多 {MOST:,} 条"
        yield Problem(file, MOST + 2, 1, message, "只留到三级，删去停用的")


def _row(file: str, line: int, cells: list[str], first: dict[Branch, int]) -> Iterator[Found]:
    if len(cells) > LEVELS:
        yield Problem(file, line, 1, f"这一行有 {len(cells)} 列", "只写三列；名称里的逗号用顿号")
        return
    names = tuple(cells + [""] * (LEVELS - len(cells)))
    holes = [place for place in range(2) if not names[place]]
    for place in holes:
        yield Problem(file, line, place + 1, f"{HEADER[place]}空着", "合并过的单元格也要逐行写全")
    for place, name in enumerate(names):
        if len(name) > LONGEST:
            yield Problem(
                file, line, place + 1, f"{HEADER[place]}超过 {LONGEST} 个字", "写分类的名称，不写说明"
            )
    path = tuple(name for name in names if name)
    if not holes and (seen := first.setdefault(path, line)) != line:
        yield Problem(file, line, 1, f"与第 {seen} 行重复", "删去一行", warning=True)
    elif not holes:
        yield path
