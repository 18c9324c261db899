"""huiying library: the shipped playbooks, and the page that shows their sources."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import JsonOption, out, plainly, say
from playbooks.library_page import coverage, library_page
from playbooks.obligations import obligations_page
from playbooks.problem import Problem
from playbooks.shelf import shipped_playbooks


def library(
    page: Annotated[Path | None, typer.Option("--page", help="把全部预案写成一页 Markdown")] = None,
    duties: Annotated[Path | None, typer.Option("--duties", help="把义务对照写成一页 Markdown")] = None,
    json: JsonOption = False,
) -> None:
    """内置预案: 各有哪些时钟；依据覆盖了多少事实；各项义务由什么完成。"""
    problems: list[Problem] = []
    with plainly():
        books = [draft.playbook for draft in shipped_playbooks(problems)]
        found = coverage()
        if page is not None:
            page.write_text(library_page(), encoding="utf-8")
        if duties is not None:
            duties.write_text(obligations_page(), encoding="utf-8")
    counts = {"cited": len(found.cited), "program": len(found.elsewhere), "left_out": len(found.without)}
    if json:
        clocks = {book.id: list(dict.fromkeys(clock.id for clock in book.clocks)) for book in books}
        out({"playbooks": clocks, "facts": counts})
        return
    for book in books:
        names = "、".join(dict.fromkeys(clock.name for clock in book.clocks)) or "没有时钟"
        typer.echo(f"{book.id}  {book.name}: {names}")
    total = sum(counts.values())
    say(
        f"事实 {total} 条: 预案引用 {counts['cited']}，做在程序里 {counts['program']}，没有做 {counts['left_out']}"
    )
