"""huiying archive run, list, read, forget; partition."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flows.commands.common import JsonOption, SiteOption, fail, house, known_person, out, say
from flows.wiring import House
from models.core.moment import iso
from models.core.personal import mask_said

archive = typer.Typer(
    help="归档: 到期的整月移出数据库，写成永远可读的压缩文件。",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

File = Annotated[str, typer.Argument(help="归档文件名，见 huiying archive list")]
By = Annotated[str, typer.Option(help="谁，roster.yaml 中的人员标识")]
KIND_ZH = {"signal": "原始信息", "journal": "日志"}


@archive.command()
def run(site: SiteOption = None, json: JsonOption = False) -> None:
    """把到了保存期限(site.yaml 的 retention)的各月归档，由远及近；没有就什么也不做。"""
    from flows.keeping.archives import retire

    done = []
    with house(site) as opened:
        for filed in retire(opened):
            done.append({"file": filed.file, "rows": filed.rows, "sha256": filed.sha256, "bytes": filed.size})
            say(f"已归档 {filed.file}：{filed.rows} 行，SHA-256 {filed.sha256[:16]}")
        folder = str(opened.archive)
    if json:
        out({"folder": folder, "files": done})
    elif not done:
        say("没有到保存期限、可以移出的月份")


@archive.command("list")
def list_(site: SiteOption = None, json: JsonOption = False) -> None:
    """已归档的文件: 哪个月、多少行、在不在、与台账记下的哈希是否一致。"""
    with house(site) as opened:
        found = _listed(opened)
        folder = str(opened.archive)
    if json:
        out({"folder": folder, "files": found})
        return
    for one in found:
        state = "已按期删除" if one["forgotten_at"] else one["wrong"] or "完好"
        typer.echo(f"{one['file']}  {one['kind_zh']}  {one['month']}  {one['rows']} 行  {state}")
    say(f"共 {len(found)} 个文件，在 {folder}")


def _listed(opened: House) -> list[dict[str, Any]]:
    from models.ledger import archived

    with opened.store.read() as conn:
        rows = archived.listed(conn)
        return [
            {
                "file": row.file,
                "kind": row.kind,
                "kind_zh": KIND_ZH[row.kind],
                "month": row.month,
                "rows": row.rows,
                "sha256": row.sha256,
                "made_at": iso(row.made_at),
                "forgotten_at": iso(row.forgotten_at) if row.forgotten_at else None,
                "wrong": None if row.forgotten_at else archived.wrong(conn, row),
            }
            for row in rows
        ]


@archive.command()
def read(
    file: File,
    incident: Annotated[str, typer.Option(help="只看这起事件的，如 2026-0012")] = "",
    site: SiteOption = None,
) -> None:
    """一个归档文件的内容，一行一条 JSON；电话、门牌等个人信息已遮盖。"""
    from flows.keeping.archives import read as read_

    count = 0
    with house(site) as opened:
        for line in read_(opened, file, incident.removeprefix("舆-") or None):
            out(_masked(line))
            count += 1
    say(f"共 {count} 条")


def _masked(line: dict[str, Any]) -> dict[str, Any]:
    """As every page shows a text."""
    if "body" not in line:
        return line
    return line | {name: mask_said(line[name], line["medium"], line["author"]) for name in ("title", "body")}


@archive.command()
def forget(
    file: File,
    by: By,
    reason: Annotated[str, typer.Option(help="理由，记入日志")],
    site: SiteOption = None,
) -> None:
    """把一个原始信息的归档文件永远删除；日志留下是谁、为什么，事件与处置记录不受影响。"""
    from flows.keeping.archives import forget as forget_

    with house(site) as opened:
        known_person(opened, by)
        forget_(opened, file, by, reason)
    say(f"已删除 {file}")


def partition(
    plan: Annotated[bool, typer.Option("--plan", help="只看要做什么，不动手")] = False,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """按月分区: 把旧版本建的 PostgreSQL 表转为分区表，并备好以后各月；可反复运行，运行中也可以。"""
    from models.ledger import partitions

    with house(site) as opened:
        if opened.store.sqlite:
            fail("SQLite 不需要分区；site.yaml 的 database 换成 PostgreSQL 后再用")
        with opened.store.read() as conn:
            lacking = partitions.plain(conn)
        for one in lacking:
            say(f"{one.table}：约 {one.rows} 行、{one.size / 2**20:.0f} MB，原地转为分区，不重写")
        turned = [] if plan else partitions.convert(opened.store, opened.time.now(), say)
        made = [] if plan else partitions.make_ahead(opened.store, opened.time.now(), most=None)
        with opened.store.read() as conn:
            there = {name: [part.name for part in partitions.parts(conn, name)] for name in partitions.TABLES}
    if json:
        out({"plain": [one.table for one in lacking], "turned": turned, "made": made, "parts": there})
    elif not plan:
        say(f"已转换 {'、'.join(turned) or '无'}；新建分区 {'、'.join(made) or '无'}")
