"""huiying simulate: a rehearsal on paper, as lines, JSON and a picture; it sends nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from flows.commands.common import JsonOption, SiteOption, fail, out, plainly, say, site_dir
from models.core.moment import clock_face, deadline_face, iso, local, span
from playbooks.checked import checked, first_words
from playbooks.gantt import DAWN, DUSK, gantt, special_days
from playbooks.loader import load
from playbooks.problem import Problems, did_you_mean
from playbooks.scene import CastSource, GivenSource, by_role, scene_of, strangers, with_absences
from playbooks.simulate import Line, Rehearsal, Span, moments, rehearse
from playbooks.site import Site, load_site


def simulate(
    playbook: Annotated[str, typer.Argument(help="预案标识；all 为全部适用的")],
    start: Annotated[str, typer.Option(help="起算时间")],
    grade: Annotated[str, typer.Option(help="I II III IV")] = "II",
    kind: Annotated[str, typer.Option(help="舆情类别")] = "",
    event_type: Annotated[str, typer.Option(help="事件类型")] = "",
    time: Annotated[
        list[str] | None, typer.Option(help="分开写的起算时间，如 discovery=2026-11-21T02:40，可多次")
    ] = None,
    hours: Annotated[str, typer.Option(help="推演多久，如 PT48H")] = "PT48H",
    people: Annotated[
        Path | None,
        typer.Option("--people", "--speed-of-people", help="谁几分钟后签收、其间发生什么的 YAML 或 JSON"),
    ] = None,
    regrade: Annotated[list[str] | None, typer.Option(help="改定级别，如 I@2026-11-21T05:00，可多次")] = None,
    stop: Annotated[
        list[str] | None, typer.Option(help="看到凭据，如 first_statement@2026-11-21T04:00，可多次")
    ] = None,
    svg: Annotated[Path | None, typer.Option("--svg", help="另存一张图")] = None,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """推演: 谁在什么时候、经哪个渠道被提醒。什么也不发送。"""
    with plainly():
        loaded = load_site(site_dir(site), os.environ)
        _known(playbook, loaded)
        given = _given(start, grade, kind, event_type, time or [], hours)
        cast = _cast(people, loaded, regrade or [], stop or [])
        scene = scene_of(given, cast, None if playbook == "all" else playbook)
        found = rehearse(scene, loaded.library, with_absences(loaded.roster, cast), loaded.calendar)
        if svg is not None:
            svg.write_text(picture(found, loaded), encoding="utf-8")
            say(f"图: {svg}")
    if json:
        out([as_json(line) for line in found.lines])
        return
    _print(found, loaded)


def _known(playbook: str, site: Site) -> None:
    known = [book.id for book in site.library.playbooks]
    if playbook != "all" and playbook not in known:
        fail(f"没有预案 {playbook}{did_you_mean(playbook, known)}；有: {' '.join(known)}", 2)


def _given(
    start: str, grade: str, kind: str, event_type: str, times: Sequence[str], hours: str
) -> GivenSource:
    """The words of the command line through the same paper that golden tests are written on."""
    given = {
        "grade": grade,
        "start": start,
        "kind": kind or None,
        "event_type": event_type or None,
        "times": dict(_pair(each, "=", "discovery=2026-11-21T02:40") for each in times),
        "lasts": hours,
    }
    try:
        return GivenSource.model_validate(given)
    except ValidationError as error:
        fail(first_words(GivenSource, error), 2)


def _pair(text: str, mark: str, example: str) -> tuple[str, str]:
    left, found, right = text.partition(mark)
    if not found or not left or not right:
        fail(f"“{text}” 看不懂；写成 {example}", 2)
    return left.strip(), right.strip()


def _cast(people: Path | None, site: Site, regrades: Sequence[str], stops: Sequence[str]) -> CastSource:
    """The file's people and happenings, and those of the options after them."""
    paper = by_role(checked(CastSource, load(people)), site.roster) if people is not None else CastSource()
    if people is not None and (unknown := strangers(paper, site.roster, str(people))):
        raise Problems(unknown)
    graded = [
        dict(zip(("grade", "at"), _pair(each, "@", "I@2026-11-21T05:00"), strict=True)) for each in regrades
    ]
    stopped = [
        dict(zip(("clock", "at"), _pair(each, "@", "first_statement@2026-11-21T04:00"), strict=True))
        for each in stops
    ]
    try:
        added = CastSource.model_validate({"happens": [*graded, *stopped]})
    except ValidationError as error:
        fail(first_words(CastSource, error), 2)
    return paper.model_copy(update={"happens": (*paper.happens, *added.happens)})


def picture(found: Rehearsal, site: Site, title: str = "推演") -> str:
    """The picture of a rehearsal with the days of the site's calendar named."""
    return gantt(found, special_days(found, site.calendar), f"{title} · {site.name}")


def _print(found: Rehearsal, site: Site) -> None:
    for line in table(found, site):
        typer.echo(line)
    for why in found.silent:
        say(f"不提醒 {why}")
    if not found.spans and not found.silent:
        say("这一情形下该预案没有适用的时钟")
    say("以上是推演，什么也不发送。")


def table(found: Rehearsal, site: Site) -> Iterator[str]:
    """The clocks, then the lines of each moment under one head."""
    for clock in found.spans:
        yield _clock(clock)
    happened, names = list(found.happenings), special_days(found, site.calendar)
    for at, lines in moments(found.lines):
        while happened and happened[0].at <= at:
            each = happened.pop(0)
            yield f"{clock_face(each.at)}  ── {each.words}"
        yield from _moment(at, lines, names)
    yield from (f"{clock_face(each.at)}  ── {each.words}" for each in happened)


def _clock(clock: Span) -> str:
    law = "法定" if clock.statutory else "建议"
    limit = f"{clock_face(clock.plan.started_at)} → {deadline_face(clock.plan.due_at)}"
    return f"{clock.name}（{law}，{clock.playbook}）  {limit}  {clock.state.zh}"


def _moment(at: datetime, lines: Sequence[Line], names: Mapping[date, str]) -> Iterator[str]:
    for n, line in enumerate(lines):
        head = f"{clock_face(at)} {_mark(at, names)}" if n == 0 else " " * 15
        late = f"  迟 {span(line.late.total_seconds())}" if line.late >= timedelta(minutes=1) else ""
        people = "、".join(f"{told.name}({told.channel})" for told in line.told) or "无人可达"
        yield f"{head}  {line.clock_name} {line.step:>5}  → {people}{late}"
    yield from (f"{'':15}    {why}" for why in dict.fromkeys(why for line in lines for why in line.quiet))


def _mark(at: datetime, names: Mapping[date, str]) -> str:
    """夜 at night, 休 on a day off; two columns wide."""
    moment = local(at)
    if not DAWN <= moment.time() < DUSK:
        return "夜"
    return "休" if names.get(moment.date(), "调休上班") != "调休上班" else "  "


def as_json(line: Line) -> dict[str, Any]:
    return {
        "at": iso(line.at),
        "clock": line.clock,
        "step": line.step,
        "rung": line.rung,
        "due_at": iso(line.due_at),
        "late_s": line.late.total_seconds(),
        "told": [
            {"person": t.person, "channel": t.channel, "address": t.address, "reason": t.reason}
            for t in line.told
        ],
        "quiet": list(line.quiet),
    }
