"""`huiying backup` and `huiying restore`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import JsonOption, SiteOption, house, out, plainly, say, site_dir

Output = Annotated[Path, typer.Option("--output", "-o", help="备份写到哪个文件；已有的不覆盖")]
Archive = Annotated[Path, typer.Argument(help="huiying backup 写出的文件")]


def backup(output: Output, site: SiteOption = None, json: JsonOption = False) -> None:
    """备份: 台账(数据库)和站点设置写成一个文件，运行中也可以；密钥不在其中。"""
    from flows.keeping.backups import backup as write

    with house(site) as opened:
        manifest = write(opened, output)
    if json:
        out(manifest | {"path": str(output), "bytes": output.stat().st_size})
        return
    kept = manifest["journal"]
    say(
        f"已备份到 {output}：日志 {kept['seq']} 条，链尾 {kept['hash'][:16]}，设置 {len(manifest['files']) - 1} 个文件"
    )


def restore(archive: Archive, site: SiteOption = None, json: JsonOption = False) -> None:
    """恢复: 备份写回空的数据库，随即核对全部日志。已有的设置和数据一律不覆盖。"""
    from flows.keeping.backups import restore as bring

    with plainly():
        done = bring(archive, site_dir(site), os.environ)
    verified = done["verify"]
    if json:
        out(done)
    else:
        say(
            f"已恢复到 {site_dir(site)}：日志 {verified['entries']} 条，"
            + ("完好" if verified["ok"] else "有问题")
        )
        for finding in verified["findings"]:
            say(f"  ✗ {finding}")
    if not verified["ok"]:
        raise typer.Exit(1)
