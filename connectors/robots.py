"""robots.txt (RFC 9309): may this page be fetched by us, and how far apart?

`parse` and `Robots` are pure; `ask` fetches the file through the guard.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

import httpx2

from connectors import http
from connectors.ports import Refused

NAME = "huiying"
"""What a site's keeper writes after User-agent: to speak of us."""
MAX_BYTES = 500 * 1024  # what RFC 9309 asks to be read at least
MAX_RULES, MAX_PATTERN = 2_000, 2_000
_LINE = re.compile(r"\s*([A-Za-z-]+)\s*:\s*([^#\r\n]*)")


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules for us: (allow?, pattern) in the file's order, and the pause asked for in seconds."""

    rules: tuple[tuple[bool, str], ...] = ()
    delay_s: float | None = None

    def forbids(self, url: str) -> str:
        """The pattern that forbids this address, "" when it may be fetched. The longest fit decides;
        of two equally long ones the one that allows."""
        parts = urlsplit(url)
        path = _plain(parts.path or "/") + (f"?{_plain(parts.query)}" if parts.query else "")
        fits = [(len(pattern), allow, pattern) for allow, pattern in self.rules if _fits(pattern, path)]
        longest = max(fits, default=(0, True, ""))
        return "" if longest[1] else longest[2]


def _plain(path: str) -> str:
    """Percent-encoding in one form, so that 信 and %E4%BF%A1 are the same."""
    return quote(unquote(path), safe="/?&=*$:@!~+,;()'._-")


def _fits(pattern: str, path: str) -> bool:
    """* is anything, $ at the end is the end. Greedy from the left: linear, no regular expression."""
    ends = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    for n, part in enumerate(rest, 1):
        if ends and n == len(rest):
            return path.endswith(part) and len(path) - len(part) >= at
        found = path.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return at == len(path) if ends else True


def parse(text: str, name: str = NAME) -> Robots:
    """The rules of the groups that name us, else of those for everybody (*). Never raises."""
    groups: dict[str, tuple[list[tuple[bool, str]], list[float]]] = {}
    naming: list[str] = []
    ruled = False
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        key, value = found[1].lower(), found[2].strip()
        if key == "user-agent":
            naming, ruled = ([] if ruled else naming) + [value.lower()], False
            continue
        ruled = ruled or key in ("allow", "disallow", "crawl-delay")
        for who in naming:
            _note(groups.setdefault(who, ([], [])), key, value)
    # Huiying/0.1 and huiying are the same name
    ours = next((who for who in groups if who.split("/")[0] == name), "*")
    rules, delays = groups.get(ours, ([], []))
    return Robots(tuple(rules[:MAX_RULES]), max(delays, default=None))


def _note(group: tuple[list[tuple[bool, str]], list[float]], key: str, value: str) -> None:
    if key in ("allow", "disallow") and 0 < len(value) <= MAX_PATTERN:
        group[0].append((key == "allow", _plain(value)))
    elif key == "crawl-delay" and re.fullmatch(r"\d{1,5}(?:\.\d{1,3})?", value):
        group[1].append(float(value))


async def ask(guard: http.Guard, url: str, client: httpx2.AsyncClient | None = None) -> Robots:
    """The rules for the host of `url`. Raises Unreachable when they cannot be had now: then, says
    the RFC, nothing may be fetched. No such file (4xx), or one behind a guard's no: no rules."""
    parts = urlsplit(url)
    try:
        page = await http.get(guard, f"{parts.scheme}://{parts.netloc}/robots.txt", None, client)
        if page.status in http.PASSING or page.status >= 500:
            http.settle(page)  # raises Unreachable, in its words
    except Refused:
        return Robots()  # the page itself will be refused, in its own words
    text = page.body[:MAX_BYTES].decode("utf-8", "replace")
    return parse(text) if 200 <= page.status < 300 else Robots()
