"""The two drawings of docs/architecture.md, made from the code: the floor plan and the river.

`make docs` writes them into docs/pictures; a test makes them again and compares, so that they cannot lie.
Where a box stands is written here; that it is there, what it holds and every arrow comes from the code
(`codegraph`) and from the contracts that `lint-imports` holds (pyproject.toml).
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from models.ledger.words import KINDS
from support.codegraph import PACKAGES, ROOT, Code, Touch
from support.drawn_words import CHANNEL_ZH, EDGES_IN, HEAVY, TABLE_ZH, ZH

DOCS = ROOT / "docs"
PICTURES = DOCS / "pictures"
WIDE = 1280.0

STYLE = """
svg{font-family:"Noto Sans CJK SC","Source Han Sans SC","PingFang SC","Microsoft YaHei",system-ui,sans-serif;
--page:#fbfaf7;--ink:#1d2733;--soft:#5b6876;--line:#c9d0d6;--flows:#e5edf6;--connectors:#e8f1e6;--playbooks:#f6eedd;
--models:#f0e8f2;--box:#ffffff;--write:#1f6fb2;--read:#8a6d1f;--water:#d9e9f5;--deep:#c2dcef;--journal:#3f4a57;--on:#ffffff;--wrong:#c0262d}
@media (prefers-color-scheme:dark){svg{--page:#12171d;--ink:#e6ebf0;--soft:#9aa8b5;--line:#394653;--flows:#1b2a3b;
--connectors:#1a2c22;--playbooks:#2f2817;--models:#2b2032;--box:#1a222b;--write:#6db3ea;--read:#d9b45a;--water:#17293a;
--deep:#1d3850;--journal:#b8c4d0;--on:#12171d;--wrong:#ff7a7a}}
.name{fill:var(--ink);font-weight:600}.page{fill:var(--page)}.ink{fill:var(--ink)}.soft{fill:var(--soft)}.box{fill:var(--box);stroke:var(--line)}
.bed{fill:var(--journal)}.on{fill:var(--on)}.water{fill:var(--water)}.deep{fill:var(--deep)}
.w{fill:none;stroke:var(--write);stroke-width:2.2}.r{fill:none;stroke:var(--read);stroke-width:1.6;stroke-dasharray:5 4}
.wf{fill:var(--write)}.rf{fill:none;stroke:var(--read);stroke-width:1.8}.up{stroke:var(--wrong);fill:none;stroke-width:3}
.grid{stroke:var(--line);stroke-width:1}.down{fill:none;stroke:var(--soft);stroke-width:1.6}
.duty{fill:var(--flows);stroke:var(--write);stroke-width:1.5}.edge{fill:var(--connectors);stroke:var(--line)}
.flows{fill:var(--flows)}.connectors{fill:var(--connectors)}.playbooks{fill:var(--playbooks)}.models{fill:var(--models)}
"""


# ── marks ─────────────────────────────────────────────────────────────────────────────────────


def text(x: float, y: float, said: str, size: float = 13, kind: str = "ink", **more: str) -> str:
    extra = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    return f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" class="{kind}"{extra}>{escape(said)}</text>'


def box(x: float, y: float, wide: float, high: float, kind: str = "box", round_: float = 6) -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}" rx="{round_:g}" class="{kind}" '
        'stroke-width="1"/>'
    )


def path(d: str, kind: str, end: str = "") -> str:
    arrow = f' marker-end="url(#{end})"' if end else ""
    return f'<path d="{d}" class="{kind}"{arrow}/>'


def length(said: str, size: float) -> float:
    """About how wide a text is: a Chinese character is a square, a Latin letter a little over half."""
    return sum(size if ord(letter) > 0x2E7F else size * 0.57 for letter in said)


def sheet(high: float, title: str, told: str, parts: Iterable[str]) -> str:
    heads = (("w", "--write"), ("r", "--read"), ("down", "--soft"), ("up", "--wrong"))
    markers = "".join(
        f'<marker id="end-{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 4 0 8z" style="fill:var({colour})"/></marker>'
        for name, colour in heads
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE:g} {high:g}" width="{WIDE:g}" '
            f'height="{high:g}" role="img" aria-labelledby="title desc">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="desc">{escape(told)}</desc>',
            f"<style>{STYLE}</style>",
            f"<defs>{markers}</defs>",
            box(0, 0, WIDE, high, "page", 0),
            *parts,
            "</svg>\n",
        ]
    )


# ── the floor plan ────────────────────────────────────────────────────────────────────────────

FLOORS = ("flows", "connectors", "playbooks", "models")


@dataclass(frozen=True)
class Room:
    """A module or package on a storey, and how many modules it holds."""

    name: str
    modules: int


def shelves(root: Path, floor: str) -> list[list[str]]:
    """The layers inside a storey, top first, as the contract in pyproject.toml has them."""
    said = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    for contract in said["tool"]["importlinter"]["contracts"]:
        if contract.get("containers") == [floor]:
            return [[name.strip() for name in _split(layer)] for layer in contract["layers"]]
    return []


def _split(layer: str) -> list[str]:
    return layer.replace(":", "|").split("|")


def rooms(code: Code, floor: str, names: Sequence[str]) -> list[Room]:
    return [Room(name, _size(code, f"{floor}.{name}")) for name in names]


def _size(code: Code, full: str) -> int:
    return sum(1 for name in code.modules if name.startswith(f"{full}.")) or (full in code.modules)


def storeys_met(code: Code) -> dict[tuple[str, str], int]:
    """(from, to) → how many modules of one storey import another: all that there are, allowed or not."""
    found: dict[tuple[str, str], int] = {}
    for name, module in code.modules.items():
        here = name.split(".")[0]
        for there in {one.split(".")[0] for one in module.imports} & set(PACKAGES) - {here}:
            found[here, there] = found.get((here, there), 0) + 1
    return found


def homes(code: Code) -> dict[str, set[str]]:
    """heavy library → the rooms that import it."""
    found: dict[str, set[str]] = {}
    for name, module in code.modules.items():
        for library in {one.split(".")[0] for one in module.imports} & set(HEAVY):
            found.setdefault(library, set()).add(".".join(name.split(".")[:2]))
    return found


def floor_plan(code: Code) -> str:
    """The house from the side: storeys, their shelves in the order of the contract, what lives where."""
    parts = [
        text(40, 46, "回应的楼层 · The floor plan", 24, font_weight="700"),
        text(40, 72, "导入只往下走；同一层里靠上的可以用靠下的。数字是模块数。", 14, "soft"),
        text(40, 92, "Imports run down only, between storeys and between the shelves of one. Figures count modules.",
             13, "soft"),
    ]  # fmt: skip
    lives = homes(code)
    y = 112.0
    drawn, y_flows = _storey(code, "flows", 40, y, 1200, lives)
    parts += drawn
    gap = 46.0
    y2 = y_flows + gap
    left, end_left = _storey(code, "connectors", 40, y2, 760, lives)
    right, end_right = _storey(code, "playbooks", 820, y2, 420, lives)
    bottom = max(end_left, end_right)
    parts += (
        _under(40, y2, 760, bottom, "connectors") + left + _under(820, y2, 420, bottom, "playbooks") + right
    )
    y3 = bottom + gap
    drawn, end = _storey(code, "models", 40, y3, 1200, lives)
    parts += drawn
    parts += _stairs(code, {"flows": (112.0, y_flows), "connectors": (y2, bottom), "models": (y3, end)})
    return sheet(end + 30, "Floor plan of Huiying", _plan_told(code), parts)


def _under(x: float, y: float, wide: float, bottom: float, floor: str) -> list[str]:
    return [box(x, y, wide, bottom - y, floor, 10)]


def _storey(
    code: Code, floor: str, x: float, y: float, wide: float, lives: Mapping[str, set[str]]
) -> tuple[list[str], float]:
    """A storey from `y` down: its name, its shelves; and where it ends."""
    rows = shelves(code.root, floor) or [_singles(code, floor)]
    inner: list[str] = []
    top = y + 40
    for row in rows:
        here = rooms(code, floor, row)
        if len(here) == 1:
            boxes, top = _alone(code, here[0], floor, x + 14, top, wide - 28, lives)
        else:
            boxes, top = _shelf(here, floor, x + 14, top, wide - 28, lives)
        inner += boxes
    count = sum(1 for name in code.modules if name.split(".")[0] == floor and name != floor)
    name = [
        text(x + 16, y + 27, f"{floor}/", 18, font_weight="700"),
        text(x + 16 + length(f"{floor}/", 18) + 12, y + 27, f"{ZH[floor]} · {count}", 14, "soft"),
    ]
    ground = [] if floor in ("connectors", "playbooks") else [box(x, y, wide, top + 6 - y, floor, 10)]
    return [*ground, *name, *inner], top + 6


def _singles(code: Code, floor: str) -> list[str]:
    """The modules of a storey without shelves: their order says nothing."""
    return sorted({name.split(".")[1] for name in code.modules if name.startswith(f"{floor}.")})


def _alone(
    code: Code, room: Room, floor: str, x: float, y: float, wide: float, lives: Mapping[str, set[str]]
) -> tuple[list[str], float]:
    """A layer of one room: all of its width, what it says of itself, and its modules by name."""
    full = f"{floor}.{room.name}"
    size = f" {room.modules}" if room.modules > 1 else ""
    libraries = sorted(HEAVY[library] for library, where in lives.items() if full in where)
    told = [
        ZH.get(room.name, ""),
        code.said(full).replace("`", ""),
        "◆ " + "、".join(libraries) if libraries else "",
    ]
    words = "   ".join(one for one in told if one)
    inner = sorted(
        {name.removeprefix(f"{full}.").split(".")[0] for name in code.modules if name.startswith(f"{full}.")}
    )
    lines = list(_wrapped(inner, wide - 24, 11.5)) if inner else []
    high = 28 + 16 * len(lines)
    head = x + 9 + length(room.name + size, 13) + 12
    parts = [
        box(x, y, wide, high),
        text(x + 9, y + 18, room.name + size, 13),
        text(head, y + 18, words, 11.5, "soft"),
    ]
    parts += [text(x + 9, y + 36 + 16 * number, line, 11.5, "soft") for number, line in enumerate(lines)]
    return parts, y + high + 10


def _shelf(
    row: Sequence[Room], floor: str, x: float, y: float, wide: float, lives: Mapping[str, set[str]]
) -> tuple[list[str], float]:
    """One layer: its rooms side by side, as many lines as they need."""
    parts, left, top, tallest = [], x, y, 0.0
    for room in row:
        said = _said(room, floor, lives)
        broad = max(length(one, size) for one, size, _ in said) + 18
        high = 8 + 17 * len(said)
        if left + broad > x + wide and left > x:
            left, top, tallest = x, top + tallest + 6, 0.0
        parts += [box(left, top, broad, high), *_lines(said, left + 9, top)]
        left, tallest = left + broad + 6, max(tallest, high)
    return parts, top + tallest + 10


def _said(room: Room, floor: str, lives: Mapping[str, set[str]]) -> list[tuple[str, float, str]]:
    """The lines in a room: its name with its size, what it is for, the heavy libraries at home there."""
    size = f" {room.modules}" if room.modules > 1 else ""
    lines = [(room.name + size, 13.0, "name")]
    if room.name in ZH and floor != "playbooks":
        lines.append((ZH[room.name], 11.5, "soft"))
    here = sorted(HEAVY[library] for library, where in lives.items() if f"{floor}.{room.name}" in where)
    lines += [("◆ " + "、".join(here[at : at + 4]), 11.5, "soft") for at in range(0, len(here), 4)]
    return lines


def _lines(said: Sequence[tuple[str, float, str]], x: float, y: float) -> Iterator[str]:
    for number, (words, size, kind) in enumerate(said):
        yield text(x, y + 18 + 17 * number, words, size, kind)


def _stairs(code: Code, at: Mapping[str, tuple[float, float]]) -> list[str]:
    """Every import between storeys: down in grey, anything else in red."""
    met = storeys_met(code)
    ways = {
        ("flows", "connectors"): (300.0, at["flows"][1], at["connectors"][0]),
        ("flows", "playbooks"): (1030.0, at["flows"][1], at["connectors"][0]),
        ("connectors", "models"): (300.0, at["connectors"][1], at["models"][0]),
        ("playbooks", "models"): (1030.0, at["connectors"][1], at["models"][0]),
        ("flows", "models"): (810.0, at["flows"][1], at["models"][0]),
    }
    parts = []
    for pair, (x, top, end) in ways.items():
        if pair in met:
            parts.append(path(f"M{x:g} {top + 4:g}V{end - 4:g}", "down", "end-down"))
    wrong = sorted(pair for pair in met if pair not in ways)
    for number, (here, there) in enumerate(wrong):
        parts.append(text(860, 46 + 18 * number, f"✗ {here} → {there}", 15, "up"))
    return parts


def _plan_told(code: Code) -> str:
    met = ", ".join(f"{here} to {there}" for here, there in sorted(storeys_met(code)))
    inner = "; ".join(
        f"{floor}: " + " over ".join(", ".join(row) for row in shelves(code.root, floor))
        for floor in FLOORS
        if shelves(code.root, floor)
    )
    return f"Storeys and what they import: {met}. Shelves, top first: {inner}."


# ── the river ─────────────────────────────────────────────────────────────────────────────────

BESIDE = {
    "kafka": ("flows.collecting.following.follow_broker",),
    "results": ("flows.telling.publishing.follow_results",),
    "hooks": ("flows.telling.hooked.follow_hook",),
    "neighbours": ("flows.telling.couriers.follow_neighbour",),
    "measures": ("flows.office.measuring.jobs",),
    "traces": ("flows.telling.tracing.jobs",),
    "people": ("flows.office.desk.Desk",),
}
LOOKS = {"triage": ("flows.triage.look",)}
"""What works beside the duties: threads of the clock loop, and the desk through which people act, in a chat too;
`LOOKS` are threads that do a duty's work between its turns."""


def duties(code: Code) -> dict[str, tuple[str, ...]]:
    """Every duty as `flows.duty` lists them, and what works beside them → where its work begins."""
    found: dict[str, tuple[str, ...]] = {}
    for name, work in code.specs("flows.duty", "DutySpec"):
        found[name] = (work, *LOOKS.get(name, ()))
    found |= BESIDE
    gone = [one for starts in found.values() for one in starts if code.find(one) is None]
    if gone:
        raise LookupError(
            f"{gone[0]} is gone: tell BESIDE in {Path(__file__).name} where its work begins now"
        )
    return found


def touches(code: Code) -> dict[str, Touch]:
    return {name: code.touched(*starts) for name, starts in duties(code).items()}


def river(code: Code) -> str:
    """The main stream with its arrows, then every duty against every table, then what is told to the journal."""
    found = touches(code)
    parts = [
        text(40, 46, "回应的河流 · The river", 24, font_weight="700"),
        text(40, 72, "每项工作：读 → 判 → 记。蓝色实线写入，黄色虚线读取；箭头都由代码得出。工作之间从不互相调用。",
             14, "soft"),
        text(40, 92, "Each duty reads, decides, appends. Blue writes, yellow reads: derived from the code. "
             "Duties never call one another; rows carry the work on.", 13, "soft"),
        *_stream(code, found),
    ]  # fmt: skip
    table, end = _matrix(code, found, 690)
    kinds, bottom = _kinds(found, end + 40)
    return sheet(bottom + 24, "The river of Huiying", _river_told(found), [*parts, *table, *kinds])


DUTY_AT = {
    "ingest": (205.0, 190.0), "triage": (455.0, 190.0), "respond": (765.0, 190.0), "deliver": (1035.0, 190.0),
    "watch": (330.0, 600.0), "people": (745.0, 600.0),
}  # fmt: skip
TABLE_AT = {
    "signal": 205.0, "proposal": 325.0, "judgement": 445.0, "incident": 565.0, "evidence": 685.0, "clock": 805.0,
    "step": 925.0, "alert": 1045.0,
}  # fmt: skip
WATER = 395.0


def _stream(code: Code, found: Mapping[str, Touch]) -> list[str]:
    """The river: tables float in it, duties stand on its banks."""
    far, near = WATER - 52, WATER + 62
    upper = f"M0 {far:g}C240 {far - 36:g} 420 {far + 32:g} 640 {far:g}S1040 {far - 38:g} 1280 {far:g}"
    lower = f"V{near:g}C1040 {near + 34:g} 860 {near - 32:g} 640 {near:g}S240 {near + 36:g} 0 {near:g}Z"
    parts = [path(upper + lower, "water")]
    for name, (x, y) in DUTY_AT.items():
        parts += _arrows(found[name], x, y, 150 if name == "people" else 66, y < WATER)
    for name, x in TABLE_AT.items():
        parts += [
            f'<rect x="{x - 54:g}" y="{WATER - 24:g}" width="108" height="52" rx="26" class="box" stroke-width="1"/>',
            text(x, WATER - 2, ZH[name], 15, text_anchor="middle", font_weight="600"),
            text(x, WATER + 16, name, 11.5, "soft", text_anchor="middle"),
        ]
    parts += [
        f'<rect x="1128" y="{WATER - 24:g}" width="128" height="52" rx="26" class="bed"/>',
        text(1192, WATER - 2, "留痕 journal", 14, "on", text_anchor="middle", font_weight="600"),
        text(1192, WATER + 16, "每次写入，同一事务", 11, "on", text_anchor="middle"),
    ]
    for name, (x, y) in DUTY_AT.items():
        parts += _person(x, y) if name == "people" else _duty(name, x, y)
    return [*parts, *_banks(code)]


def _duty(name: str, x: float, y: float) -> list[str]:
    return [
        box(x - 66, y - 28, 132, 56, "duty", 10),
        text(x, y - 3, ZH[name], 16, text_anchor="middle", font_weight="700"),
        text(x, y + 17, name, 12, "soft", text_anchor="middle"),
    ]


def _person(x: float, y: float) -> list[str]:
    return [
        box(x - 150, y - 28, 300, 56, "duty", 28),
        text(x, y - 3, ZH["people"], 15, text_anchor="middle", font_weight="700"),
        text(x, y + 17, "people: console, phone, chat, command line", 12, "soft", text_anchor="middle"),
    ]


def _arrows(touch: Touch, x: float, y: float, half: float, above: bool) -> list[str]:
    """From a duty to what it writes, and to the duty from what it only reads; spread along its edge."""
    met = [name for name in TABLE_AT if name in touch.reads | touch.writes]
    parts = []
    for number, name in enumerate(met):
        start = x + (number - (len(met) - 1) / 2) * min(28.0, (2 * half - 20) / max(len(met), 1))
        parts.append(_arrow(start, y, TABLE_AT[name], above, name in touch.writes))
    return parts


def _arrow(start: float, y: float, table: float, above: bool, writes: bool) -> str:
    foot, shore = (y + 28, WATER - 26) if above else (y - 28, WATER + 30)
    end = table + (start - table) * 0.12
    mid = (foot + shore) / 2
    curve = (
        f"M{start:g} {foot:g}C{start:g} {mid:g} {end:g} {mid:g} {end:g} {shore:g}"
        if writes
        else f"M{end:g} {shore:g}C{end:g} {mid:g} {start:g} {mid:g} {start:g} {foot:g}"
    )
    return path(curve, "w" if writes else "r", "end-w" if writes else "end-r")


def _banks(code: Code) -> list[str]:
    """Where it comes from and where it goes: the connectors that ingest calls, the channels of the contract."""
    called = code.reach(*duties(code)["ingest"], *duties(code)["kafka"])
    sources = [
        zh for name, zh in EDGES_IN.items() if any(one.startswith(f"connectors.{name}.") for one in called)
    ]
    told = [CHANNEL_ZH.get(name, name) for name in shelves(code.root, "connectors.channels")[0]]
    parts = [text(28, 150, "从哪里来 · from", 12, "soft")]
    parts += [text(28, 172 + 19 * number, name, 13) for number, name in enumerate(sources)]
    parts += [path("M108 190H136", "w", "end-w"), path("M1102 190H1130", "w", "end-w")]
    parts += [text(1142, 120, "到哪里去 · to", 12, "soft")]
    return parts + [text(1142, 142 + 19 * number, name, 13) for number, name in enumerate(told)]


CELL = 22.0
LEFT = 168.0


def _matrix(code: Code, found: Mapping[str, Touch], y: float) -> tuple[list[str], float]:
    """Every duty against every table that any of them touches: written (full) or only read (ring)."""
    every = [*code.truth, *(name for name in code.tables.values() if name not in code.truth)]
    met = {name for touch in found.values() for name in touch.reads | touch.writes}
    columns = [name for name in every if name in met]
    cell = min(CELL, (WIDE - LEFT - 60) / len(columns))
    top = y + 190
    parts = [
        text(40, y, "谁读写哪些表 · Which duty reads and writes which table", 17, font_weight="700"),
        text(40, y + 22, "● 写入 writes   ○ 只读 reads only   竖线左边：留痕能重建的表；右边：工作状态与原文",
             12.5, "soft"),
    ]  # fmt: skip
    for number, name in enumerate(columns):
        x = LEFT + cell * (number + 0.5)
        said = f"{TABLE_ZH.get(name, ZH.get(name, ''))} {name}".strip()
        parts.append(text(x + 4, top - 8, said, 11.5, transform=f"rotate(-64 {x + 4:g} {top - 8:g})"))
        parts.append(path(f"M{x:g} {top:g}V{top + CELL * len(found):g}", "grid"))
    for place, (name, touch) in enumerate(found.items()):
        parts += _row(name, touch, columns, cell, top + CELL * (place + 0.5))
    truth = LEFT + cell * sum(1 for name in columns if name in code.truth)
    end = top + CELL * len(found)
    return [*parts, path(f"M{truth:g} {top - 4:g}V{end + 4:g}", "down")], end


def _row(name: str, touch: Touch, columns: Sequence[str], cell: float, y: float) -> Iterator[str]:
    zh = "人" if name == "people" else ZH.get(name, "")
    yield text(LEFT - 12, y + 4, f"{zh} {name}".strip(), 12.5, text_anchor="end")
    yield path(f"M{LEFT:g} {y:g}H{LEFT + cell * len(columns):g}", "grid")
    for number, table in enumerate(columns):
        x = LEFT + cell * (number + 0.5)
        if table in touch.writes:
            yield f'<circle cx="{x:g}" cy="{y:g}" r="6" class="wf"/>'
        elif table in touch.reads:
            yield f'<circle cx="{x:g}" cy="{y:g}" r="5" class="rf"/>'


def _kinds(found: Mapping[str, Touch], y: float) -> tuple[list[str], float]:
    """What each duty tells the journal, in the words of the audit page."""
    parts = [text(40, y, "各自记入留痕的事 · What each tells the journal", 17, font_weight="700")]
    top = y + 28
    for name, touch in found.items():
        said = [f"{KINDS.get(kind, kind)} {kind}" for kind in sorted(touch.kinds)]
        if not said:
            continue
        zh = "人" if name == "people" else ZH.get(name, "")
        parts.append(text(LEFT - 12, top, f"{zh} {name}".strip(), 12.5, text_anchor="end", font_weight="600"))
        for line in _wrapped(said, WIDE - LEFT - 40, 12):
            parts.append(text(LEFT, top, line, 12, "soft"))
            top += 18
        top += 6
    return parts, top


def _wrapped(said: Sequence[str], wide: float, size: float) -> Iterator[str]:
    line = ""
    for one in said:
        longer = f"{line} · {one}" if line else one
        if length(longer, size) > wide:
            yield line
            longer = one
        line = longer
    yield line


def _river_told(found: Mapping[str, Touch]) -> str:
    said = []
    for name, touch in found.items():
        read, written = sorted(touch.reads - touch.writes), sorted(touch.writes)
        said.append(f"{name} reads {', '.join(read) or 'nothing more'} and writes {', '.join(written)}")
    return ". ".join(said) + "."


# ── writing ───────────────────────────────────────────────────────────────────────────────────


HEAD = """# Every module in a line

Written by `make docs` from the first sentence of each module's docstring; how they belong together is told in
[architecture](architecture.md).
"""


def module_page(code: Code) -> str:
    """docs/modules.md: each package's modules with what they say of themselves."""
    parts = [HEAD]
    packages = sorted({name.rpartition(".")[0] for name in code.modules if "." in name})
    for package in packages:
        here = [name for name in sorted(code.modules) if name.rpartition(".")[0] == package]
        rows = [
            f"| `{name.rpartition('.')[2]}` | {_cell(code.said(name))} |" for name in here if code.said(name)
        ]
        told = [f"{code.said(package)}.", ""] if code.said(package) else [""]
        parts.append("\n".join([f"## {package}", *told, "| module | is |", "|---|---|", *rows]))
    return "\n\n".join(parts).replace("\n\n\n", "\n\n") + "\n"


def _cell(said: str) -> str:
    return said.replace("|", "\\|")


def drawings(code: Code) -> dict[str, str]:
    """path under docs/ → what it holds."""
    return {
        "pictures/floor-plan.svg": floor_plan(code),
        "pictures/river.svg": river(code),
        "modules.md": module_page(code),
    }


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, drawn in drawings(Code()).items():
        (DOCS / name).write_text(drawn, encoding="utf-8")
        sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
