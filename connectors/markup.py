"""HTML → a tree of elements, one pass, whatever the markup: for pages without a feed.

Not a browser's reading: what a list of links needs. Linear in the length; nesting deeper than
`MAX_DEPTH` is flattened.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from connectors import plaintext
from connectors.ports import Refused

MAX_DEPTH = 200
MAX_ELEMENTS = 200_000
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_SILENT = frozenset(("script", "style", "template", "noscript"))
# an element that opens ends those of its kind that nobody closed, up to the list or table around it
_ENDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "li": (frozenset(("li",)), frozenset(("ul", "ol"))),
    "p": (frozenset(("p",)), frozenset(("div", "td", "li", "section", "article"))),
    "dt": (frozenset(("dt", "dd")), frozenset(("dl",))),
    "dd": (frozenset(("dt", "dd")), frozenset(("dl",))),
    "tr": (frozenset(("tr", "td", "th")), frozenset(("table",))),
    "td": (frozenset(("td", "th")), frozenset(("tr", "table"))),
    "th": (frozenset(("td", "th")), frozenset(("tr", "table"))),
}
# lengths are bounded so that a flood of open quotes is looked at once, not once for each
_TAG = re.compile(
    r"""<(?P<end>/?)(?P<name>[a-zA-Z][^\s<>/]{0,40})(?P<attrs>(?:[^<>"']|"[^"]{0,4000}"|'[^']{0,4000}'){0,400})>"""
)
_ATTR = re.compile(r"""([^\s=/"'<>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?""")


@dataclass(eq=False, slots=True)
class Node:
    """An element. `parts`: its text and its elements in order; `elements`: the elements alone."""

    tag: str
    attrs: dict[str, str] = field(default_factory=dict)
    parent: Node | None = None
    place: int = 1
    parts: list[Node | str] = field(default_factory=list)
    elements: list[Node] = field(default_factory=list)

    @property
    def siblings(self) -> Sequence[Node]:
        return self.parent.elements if self.parent else [self]

    def below(self) -> Iterator[Node]:
        """Every element inside, in the order of the page."""
        waiting = self.elements[::-1]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(node.elements[::-1])

    def text(self, limit: int = plaintext.MAX_TEXT) -> str:
        """Its words; blocks become lines."""
        words: list[str] = []
        waiting: list[Node | str] = [self]
        while waiting:
            part = waiting.pop()
            if isinstance(part, str):
                words.append(part)
            else:
                words.append("\n" if part.tag in plaintext.BLOCKS else "")
                waiting.extend(part.parts[::-1])
        return plaintext.clean("".join(words), limit)


def tree(markup: str) -> Node:
    """The page as a tree below a nameless root. Raises Refused when it has too many elements."""
    builder = _Builder()
    markup = plaintext.without_comments(markup)
    ends, at = _Ends(markup), 0
    while tag := _TAG.search(markup, at):
        builder.words(markup[at : tag.start()])
        name, at = tag["name"].lower(), tag.end()
        if tag["end"]:
            builder.close(name)
        elif name in _SILENT:
            at = ends.behind(name, at)
        else:
            builder.open(name, tag["attrs"])
    builder.words(markup[at:])
    return builder.root


class _Ends:
    """Where scripts and styles end; one that is never closed hides nothing behind it."""

    def __init__(self, markup: str) -> None:
        self._markup, self._endless = markup, set[str]()

    def behind(self, name: str, at: int) -> int:
        """The place behind the end of `name`; `at` where there is none (looked for once only)."""
        if name in self._endless:
            return at
        end = re.compile(rf"</{name}[^<>]{{0,100}}>", re.IGNORECASE).search(self._markup, at)
        if end is None:
            self._endless.add(name)
        return end.end() if end else at


class _Builder:
    def __init__(self) -> None:
        self.root = Node("")
        self._open = [self.root]
        self._count = 0

    def words(self, text: str) -> None:
        if text:
            self._open[-1].parts.append(html.unescape(text))

    def open(self, name: str, attrs: str) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise Refused(f"网页有超过 {MAX_ELEMENTS:,} 个元素，未读；请换一个列表页的地址")
        if name in _ENDS:
            self._end(*_ENDS[name])
        parent = self._open[-1]
        node = Node(name, _attributes(attrs), parent, len(parent.elements) + 1)
        parent.parts.append(node)
        parent.elements.append(node)
        if name not in _VOID and not attrs.endswith("/") and len(self._open) < MAX_DEPTH:
            self._open.append(node)

    def close(self, name: str) -> None:
        """An end without its beginning is passed over."""
        for depth in range(len(self._open) - 1, 0, -1):
            if self._open[depth].tag == name:
                del self._open[depth:]
                return

    def _end(self, kinds: frozenset[str], bounds: frozenset[str]) -> None:
        for depth in range(len(self._open) - 1, 0, -1):
            if self._open[depth].tag in bounds:
                return
            if self._open[depth].tag in kinds:
                del self._open[depth:]
                return


def _attributes(text: str) -> dict[str, str]:
    """Names in lower case → values; of two with one name the first counts, as in browsers."""
    found: dict[str, str] = {}
    for name, *values in _ATTR.findall(text):
        found.setdefault(name.lower(), html.unescape(next(filter(None, values), "")))
    return found
