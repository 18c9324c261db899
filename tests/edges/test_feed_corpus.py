"""feedparser's own test corpus, served over loopback with the headers that the files ask for."""

from __future__ import annotations

import asyncio
from collections import Counter
from http import HTTPStatus

import pytest

from connectors.feeds import FeedSource, FeedState, poll
from connectors.http import Guard, open_client
from connectors.ports import ConnectorError
from support.corpus import asked_headers, feed_files
from support.web import Web

AT_ONCE = 8


@pytest.fixture(scope="module")
def corpus() -> dict[str, bytes]:
    return feed_files()


def _status(headers: dict[str, str]) -> int:
    status = int(headers.pop("Status", "200"))
    return status if status in set(HTTPStatus) else 200


def _serve(web: Web, corpus: dict[str, bytes]) -> None:
    for path, content in corpus.items():
        headers = asked_headers(content)
        status = _status(headers)
        web.page(f"/{path}", content, {"Content-Type": "application/xml", **headers}, status)


async def _ingest(web: Web, paths: list[str], guard: Guard) -> dict[str, tuple[int, int] | ConnectorError]:
    turns = asyncio.Semaphore(AT_ONCE)
    async with open_client(guard) as client:

        async def one(path: str) -> tuple[int, int] | ConnectorError:
            async with turns:
                try:
                    done = await poll(
                        FeedSource(path, path, web.url(f"/{path}")), FeedState(), guard, client=client
                    )
                except ConnectorError as error:
                    return error
                return len(done.batch.signals), len(done.batch.rejected)

        return dict(zip(paths, await asyncio.gather(*map(one, paths)), strict=True))


def test_every_file_of_the_corpus_is_ingested_or_refused_with_a_clear_reason(
    web: Web, guard: Guard, corpus: dict[str, bytes]
) -> None:
    assert len(corpus) >= 2_000
    _serve(web, corpus)
    found = asyncio.run(_ingest(web, sorted(corpus), guard))
    refused = {path: one for path, one in found.items() if isinstance(one, ConnectorError)}
    counts = [one for one in found.values() if not isinstance(one, ConnectorError)]
    totals = Counter(signals=sum(one[0] for one in counts), rejected=sum(one[1] for one in counts))
    assert len(counts) + len(refused) == len(corpus)
    assert len(counts) >= 2_200, totals
    assert totals["signals"] >= 500
    unclear = {path: str(error) for path, error in refused.items() if not _clear(str(error))}
    assert unclear == {}


def _clear(reason: str) -> bool:
    """Names the place and says what is wrong and what to do."""
    return "127.0.0.1" in reason and len(reason) > 40
