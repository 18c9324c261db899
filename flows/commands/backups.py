"""`huiying backup`, `huiying restore` and `huiying drill restore`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.common import JsonOption, SiteOption, house, out, plainly, say, site_dir

Output = Annotated[Path, typer.Option("--output", "-o", help="备份写到哪个文件；已有的不覆盖")]
Where = Annotated[Path, typer.Argument(help="一份备份，或放备份的目录(取最新的一份)")]
Archive = Annotated[Path, typer.Argument(help="huiying backup 写出的文件")]


def backup(
    output: Output,
    archives: Annotated[bool, typer.Option("--archives", help="连同归档文件一起写进备份")] = False,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """备份: 台账(数据库)和站点设置写成一个文件，运行中也可以；密钥不在其中。"""
    from flows.keeping.backups import backup as write

    with house(site) as opened:
        manifest = write(opened, output, archives)
        folder = opened.archive
    if json:
        out(manifest | {"path": str(output), "bytes": output.stat().st_size})
        return
    kept = manifest["journal"]
    if manifest["archives"] and not archives:
        say(f"另有归档文件 {len(manifest['archives'])} 个在 {folder}，请一并备份，或加 --archives")
    say(
        f"已备份到 {output}：日志 {kept['seq']} 条，链尾 {kept['hash'][:16]}，设置 {_settings(manifest)} 个文件"
    )


def _settings(manifest: dict[str, Any]) -> int:
    return sum(name.startswith("site/") for name in manifest["files"])


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


drill = typer.Typer(name="drill", help="演练: 不动正在用的数据。", no_args_is_help=True)


@drill.callback()
def _drill() -> None:
    """演练: 不动正在用的数据。"""


@drill.command("restore")
def drill_restore(where: Where, site: SiteOption = None, json: JsonOption = False) -> None:
    """恢复演练: 最新的备份恢复到一个临时的库，核对全部日志，说出用时和链尾，再删掉临时的库。"""
    from flows.keeping.drill import drill as bring

    with plainly():
        done = bring(where, site_dir(site), os.environ)
    if json:
        out(done)
    else:
        took = f"恢复 {done['restore_s']:.1f} 秒，核对 {done['verify_s']:.1f} 秒"
        say(f"{done['archive']}：日志 {done['entries']} 条，链尾 {done['head'][:16]}；{took}")
        say("恢复演练: " + ("完好" if done["ok"] else "有问题"))
        for finding in done["findings"]:
            say(f"  ✗ {finding}")
    if not done["ok"]:
        raise typer.Exit(1)
