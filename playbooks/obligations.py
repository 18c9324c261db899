"""The obligations of the domain study's section 1 (S-001…S-136): by which command, page, playbook or site
file each is done, or why it is not; and the page that shows it, docs/义务对照.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from playbooks.checked import checked
from playbooks.fields import Items, Name, Strict, Text
from playbooks.loader import load

TABLE = Path(__file__).resolve().parent / "obligations.yaml"
HEAD = """\
# 义务对照

这一页由 `huiying library --duties` 从 `playbooks/obligations.yaml` 生成，不要手改。
编号是规则研究第 1 节里五份文件的义务；依据见[预案库](预案库.md)。“没有做”的写明原因。

| 编号 | 义务 | 由什么完成 | 怎么做 |
|---|---|---|---|
"""


class Obligation(Strict):
    """One obligation and what does it. `without`: why nothing does."""

    id: Name
    duty: Name
    command: Items[Name] = ()
    page: Items[Name] = ()
    playbook: Items[Name] = ()
    file: Items[Name] = ()
    part: Text = ""
    how: Text = ""
    without: Text = ""

    @property
    def means(self) -> Iterator[str]:
        """What does it, each as the page shows it."""
        yield from (f"`huiying {name}`" for name in self.command)
        yield from (f"页面 `{path}`" for path in self.page)
        yield from (f"预案 `{name}`" for name in self.playbook)
        yield from (f"`{name}`" for name in self.file)
        if self.part:
            yield self.part


class _Table(Strict):
    rows: Items[Obligation]


def obligations() -> tuple[Obligation, ...]:
    """Every row, in the order of the study. Raises Problems when the table is not sound."""
    return checked(_Table, load(TABLE)).rows


def obligations_page() -> str:
    """The whole page, in Markdown."""
    rows = obligations()
    done = sum(1 for row in rows if not row.without)
    lines = (
        f"| {row.id} | {row.duty} | {'，'.join(row.means) or '没有做'} | {row.how or row.without} |"
        for row in rows
    )
    return (
        HEAD + "\n".join(lines) + f"\n\n共 {len(rows)} 条：{done} 条有着落，{len(rows) - done} 条没有做。\n"
    )
