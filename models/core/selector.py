"""CSS selectors, the part that lists of links need: pure, over anything that looks like an element.

Tag and *, #id, .class, [attr], [attr=v] with ^= $= *= ~=, :first-child, :last-child, :nth-child(n|odd|even),
descendants, > children, + and ~ siblings, and commas. A step `selector@attr` takes an attribute's
value instead of the words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

MAX_LENGTH = 300
_NAME = r"[A-Za-z0-9_\-\u0080-\uffff]+"
_PART = re.compile(
    rf"(?P<tag>\*|{_NAME})|#(?P<id>{_NAME})|\.(?P<class>{_NAME})"
    rf"|\[\s*(?P<attr>[A-Za-z0-9_:\-]+)\s*(?:(?P<op>[\^$*~]?=)\s*(?:\"(?P<v1>[^\"]*)\"|'(?P<v2>[^']*)'|(?P<v3>[^\]\s]+))\s*)?\]"
    r"|:(?P<edge>first|last)-child|:nth-child\(\s*(?P<nth>\d{1,4}|odd|even)\s*\)"
)
_TAIL = re.compile(r"@([A-Za-z0-9_:\-]+)$")
_JOIN = re.compile(r"\s*([>+~])\s*|\s+")


class Element(Protocol):
    """What a selector asks of an element. `place` counts from 1 among the parent's elements."""

    @property
    def tag(self) -> str: ...
    @property
    def attrs(self) -> Mapping[str, str]: ...
    @property
    def parent(self) -> Self | None: ...
    @property
    def place(self) -> int: ...
    @property
    def siblings(self) -> Sequence[Self]: ...


Test = Callable[[Element], bool]


@dataclass(frozen=True, slots=True)
class _Step:
    """One compound, and how it hangs on the step before it: " ", ">", "+" or "~"."""

    joined: str
    tests: tuple[Test, ...]

    def fits(self, element: Element) -> bool:
        return all(test(element) for test in self.tests)


@dataclass(frozen=True, slots=True)
class Selector:
    """A parsed selector; `attr` when it ended in @attr."""

    ways: tuple[tuple[_Step, ...], ...]
    attr: str | None = None

    def fits(self, element: Element) -> bool:
        return any(_fits(way, element) for way in self.ways)


def parse(text: str) -> Selector:
    """Text → Selector. Raises ValueError, whose words name the place that cannot be read."""
    tail = _TAIL.search(text.strip())
    words, attr = (text.strip()[: tail.start()], tail[1]) if tail else (text.strip(), "")
    if len(text) > MAX_LENGTH or not words.strip():
        raise ValueError(f"选择器“{text[:40]}”为空或超过 {MAX_LENGTH} 个字符")
    ways = tuple(_way(part.strip(), text) for part in words.split(","))
    return Selector(ways, attr.lower() or None)


def _way(text: str, whole: str) -> tuple[_Step, ...]:
    steps, at, joined = [], 0, " "
    while at < len(text):
        tests: list[Test] = []
        while part := _PART.match(text, at):
            tests.append(_test(part))
            at = part.end()
        link = _JOIN.match(text, at)
        if not tests or (at < len(text) and link is None):
            raise ValueError(f"选择器“{whole[:60]}”从“{text[at : at + 20]}”起读不懂")
        steps.append(_Step(joined, tuple(tests)))
        joined, at = (link[1] or " ", link.end()) if link else (" ", at)
    if not steps or joined != " ":
        raise ValueError(f"选择器“{whole[:60]}”不完整")
    return tuple(steps)


def _test(part: re.Match[str]) -> Test:
    if part["tag"]:
        tag = part["tag"].lower()
        return lambda element: tag in ("*", element.tag)
    if part["id"]:
        return lambda element: element.attrs.get("id") == part["id"]
    if part["class"]:
        return lambda element: part["class"] in element.attrs.get("class", "").split()
    if part["attr"]:
        return _attr_test(part["attr"].lower(), part["op"], part["v1"] or part["v2"] or part["v3"] or "")
    return _place_test(part)


def _attr_test(name: str, sign: str | None, wanted: str) -> Test:
    compare: dict[str | None, Callable[[str], bool]] = {
        None: lambda value: True,
        "=": lambda value: value == wanted,
        "^=": lambda value: bool(wanted) and value.startswith(wanted),
        "$=": lambda value: bool(wanted) and value.endswith(wanted),
        "*=": lambda value: bool(wanted) and wanted in value,
        "~=": lambda value: wanted in value.split(),
    }
    fits = compare[sign]
    return lambda element: name in element.attrs and fits(element.attrs[name])


def _place_test(part: re.Match[str]) -> Test:
    if part["edge"] == "last":
        return lambda element: element.place == len(element.siblings)
    nth = part["nth"] or "1"
    if nth in ("odd", "even"):
        return lambda element: element.place % 2 == (nth == "odd")
    return lambda element: element.place == int(nth)


def _fits(way: Sequence[_Step], element: Element) -> bool:
    """Backwards from the last step; the nearest fit of each step is taken first, then those farther."""
    if not way[-1].fits(element):
        return False
    if len(way) == 1:
        return True
    return any(_fits(way[:-1], other) for other in _before(way[-1].joined, element))


def _before(joined: str, element: Element) -> list[Element]:
    """The elements that the step before may stand for."""
    if joined in ("+", "~"):
        earlier = list(element.siblings[: element.place - 1])
        return earlier[-1:] if joined == "+" else earlier[::-1]
    above: list[Element] = []
    while (parent := element.parent) is not None:
        above.append(parent)
        element = parent
        if joined == ">":
            break
    return above
