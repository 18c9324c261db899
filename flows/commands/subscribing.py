"""huiying import --kind opml, huiying export opml: lists of feeds in and out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from connectors import opml
from connectors.opml import Outline
from connectors.ports import ConnectorError
from flows.commands.common import SiteOption, fail, out, plainly, say, site_dir
from flows.timekeeping import machine_now
from models.core.moment import local
from playbooks.adding import sorted_out, with_feeds
from playbooks.checked import checked
from playbooks.loader import parse
from playbooks.site import load_site
from playbooks.sources_paper import SourcesSource

SHOWN = 20
"""Addresses left aside that are told one by one."""


def import_opml(files: list[Path], site: Path | None) -> None:
    """Lists of feeds → sources.yaml of the site; prints read, accepted, duplicate, rejected."""
    with plainly():
        offered = [(feed.name, feed.url) for path in files for feed in _read(path)]
        place = site_dir(site) / "sources.yaml"
        text = place.read_text(encoding="utf-8-sig") if place.exists() else ""
        sources = checked(SourcesSource, parse(text, str(place)))
        fresh, there, wrong = sorted_out(sources, offered)
        if fresh:
            _replace(place, with_feeds(text, str(place), fresh))
    _tell([*wrong, *there])
    out({"read": len(offered), "accepted": len(fresh), "duplicate": len(there), "rejected": len(wrong)})
    if wrong:
        raise typer.Exit(1)


def _read(path: Path) -> list[Outline]:
    try:
        return opml.read(path.read_bytes(), path.name)
    except OSError as error:
        raise ConnectorError(f"{path} 读不出来（{error.strerror}）；请核对路径") from None


def _replace(place: Path, text: str) -> None:
    """Whole or not at all: a site must not be left with half a file."""
    fresh = place.with_suffix(".yaml.new")
    fresh.write_text(text, encoding="utf-8")
    if place.exists():
        fresh.chmod(place.stat().st_mode & 0o777)
    os.replace(fresh, place)


def _tell(words: list[str]) -> None:
    for word in words[:SHOWN]:
        say(word)
    if len(words) > SHOWN:
        say(f"……另有 {len(words) - SHOWN} 个同类，未逐一列出")


def export(
    what: Annotated[str, typer.Argument(help="opml: 订阅清单")],
    site: SiteOption = None,
) -> None:
    """站点的内容 → 标准输出。opml: 全部订阅源，供任何阅读器使用。"""
    if what != "opml":
        fail(f"export {what} 不认识；可用: opml", 2)
    with plainly():
        known = load_site(site_dir(site), os.environ)
    feeds = [feed for feed in known.sources.feeds if feed.type == "feed"]
    if left := len(known.sources.feeds) - len(feeds):
        say(f"{left} 个按规则读的网页不是订阅源，没有写进清单")
    outlines = [Outline(feed.name, feed.url) for feed in feeds]
    typer.echo(opml.write(known.name, outlines, local(machine_now())), nl=False)
