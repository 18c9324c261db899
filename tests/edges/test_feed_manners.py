"""robots.txt, places at a host, and who we say we are."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from urllib.parse import unquote

import pytest

from connectors.http import USER_AGENT, Guard, agent_of, fetch, max_age
from connectors.manners import Manners
from connectors.ports import Unreachable
from connectors.robots import ask, parse
from support.web import Web

RULES = """# 说明
User-agent: other
Disallow: /

User-agent: *
Disallow: /private/
Disallow: /*.php$
Allow: /private/open
Disallow: /信/
Crawl-delay: 3
"""


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/", ""),
        ("/news/", ""),
        ("/private/a", "/private/"),
        ("/private/open/a", ""),  # the longer rule decides
        ("/a/list.php", "/*.php$"),
        ("/a/list.php?page=2", ""),
        ("/%E4%BF%A1/1", "/%E4%BF%A1/"),
    ],
)
def test_the_longest_fitting_rule_decides(path: str, pattern: str) -> None:
    assert parse(RULES).forbids(f"https://news.example{path}") == pattern


def test_rules_that_name_us_count_instead_of_those_for_everybody() -> None:
    rules = parse(RULES + "\nUser-agent: Huiying/0.1\nUser-agent: third\nDisallow: /gone\n")
    assert rules.forbids("https://news.example/private/a") == ""
    assert rules.forbids("https://news.example/gone/a") == "/gone"


def test_an_empty_disallow_allows_all_and_a_pause_is_read() -> None:
    assert parse("User-agent: *\nDisallow:\n").forbids("https://news.example/a") == ""
    assert (parse(RULES).delay_s, parse("").delay_s) == (3, None)


def test_a_hostile_pattern_is_answered_at_once() -> None:
    rules = parse("User-agent: *\n" + ("Disallow: /" + "*a" * 900 + "$\n") * 5_000)
    assert rules.forbids("https://news.example/" + "a" * 2_000 + "b") == ""


def asked(web: Web, guard: Guard) -> str:
    return asyncio.run(ask(guard, web.url("/private/feed.xml"))).forbids(web.url("/private/feed.xml"))


def test_robots_are_asked_of_the_host_and_a_missing_file_forbids_nothing(web: Web, guard: Guard) -> None:
    assert asked(web, guard) == ""
    web.page("/robots.txt", RULES.encode())
    assert asked(web, guard) == "/private/"
    assert [seen.path for seen in web.seen] == ["/robots.txt"] * 2


def test_rules_that_cannot_be_had_now_mean_later(web: Web, guard: Guard) -> None:
    web.page("/robots.txt", b"", status=503)
    with pytest.raises(Unreachable, match="503"):
        asked(web, guard)


def turns(manners: Manners, urls: list[str], hold_s: float) -> tuple[list[float], int]:
    """When each turn began, in seconds, and how many were held at once at the most."""

    async def run() -> tuple[list[float], int]:
        loop = asyncio.get_running_loop()
        began, at_once, most = loop.time(), 0, 0
        starts: list[float] = []

        async def one(url: str) -> None:
            nonlocal at_once, most
            async with manners.turn(url):
                starts.append(loop.time() - began)
                at_once += 1
                most = max(most, at_once)
                await asyncio.sleep(hold_s)
                at_once -= 1

        await asyncio.gather(*map(one, urls))
        return starts, most

    return asyncio.run(run())


def test_one_host_is_asked_by_two_at_once_and_another_does_not_wait_for_it() -> None:
    starts, most = turns(Manners(2, 0.0), ["http://a.example/1"] * 6, 0.05)
    assert most == 2
    assert starts[-1] >= 0.09
    starts, most = turns(Manners(2, 0.0), [f"http://{n}.example/" for n in range(6)], 0.05)
    assert most == 6


def test_fetches_of_one_host_keep_their_distance() -> None:
    starts, _ = turns(Manners(2, 0.1), ["http://a.example/1", "http://A.example./2", "http://a.example/3"], 0)
    apart = [after - before for before, after in pairwise(starts)]
    assert all(0.09 <= gap < 0.3 for gap in apart)


def test_we_say_who_we_are_and_where_our_keepers_are_reached(web: Web) -> None:
    agent = agent_of("临江市政府办公室", "mailto:duty@linjiang.example")
    assert agent.startswith("Huiying/0.1 (+mailto:duty@linjiang.example; %E4%B8%B4")
    assert unquote(agent).endswith("; 临江市政府办公室)")
    web.page("/a", b"1")
    asyncio.run(fetch(Guard(allow_hosts=frozenset({"127.0.0.1"}), agent=agent), web.url("/a")))
    assert web.seen[0].headers["user-agent"] == agent
    assert agent_of("") == USER_AGENT


@pytest.mark.parametrize("name", ["甲\r\nX-Evil: 1", "a\nb", "(a)"])
def test_a_name_cannot_write_headers_of_its_own(name: str) -> None:
    agent = agent_of(name)
    assert agent.isascii()
    assert "\r" not in agent
    assert "\n" not in agent


@pytest.mark.parametrize(
    ("said", "age", "expected"),
    [
        ("max-age=600", "", 600),
        ("public, max-age=600", "100", 500),
        ("max-age=600", "9999", 0),
        ("no-cache, max-age=600", "", None),
        ("s-maxage=600", "", None),
        ("", "", None),
    ],
)
def test_how_long_an_answer_stays_fresh_is_read(said: str, age: str, expected: float | None) -> None:
    assert max_age({"cache-control": said, "age": age}) == expected
