from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from starlette.testclient import TestClient

from connectors.channels import build
from connectors.channels.settings import Secrets
from connectors.console.app import build as console
from connectors.http import Guard
from connectors.ports import Channel
from support.fake_desk import FakeDesk
from support.kits import NOON, Kit, Make, secret_of, tickets
from support.receiver import Receiver
from support.web import Web


@pytest.fixture
def web() -> Iterator[Web]:
    """A loopback server whose pages the test tells."""
    with Web() as running:
        yield running


@pytest.fixture
def guard() -> Guard:
    """A guard that lets loopback through, as a site's settings may."""
    return Guard(allow_hosts=frozenset({"127.0.0.1"}), deadline_s=10.0)


@pytest.fixture
def channel() -> Iterator[Make]:
    """Builds a channel against a server, and closes its kept-open connections afterwards."""
    with ExitStack() as closing:

        def make(kit: Kit, url: str, secrets: Secrets = secret_of, **settings: Any) -> Channel:
            now = settings.pop("now", lambda: NOON)
            made = build({**kit.settings(url), **settings}, secrets, now)
            closing.callback(made.close)
            return made

        yield make


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        server.aside = tickets
        yield server


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def client(desk: FakeDesk) -> Iterator[TestClient]:
    with TestClient(console(desk), follow_redirects=False, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def chen(client: TestClient) -> TestClient:
    """The console on the device of the duty officer."""
    return _as(client, "chen")


@pytest.fixture
def li(client: TestClient) -> TestClient:
    """The console on the device of the duty leader."""
    return _as(client, "li")


def _as(client: TestClient, person: str) -> TestClient:
    client.cookies.set("huiying_person", person)
    return client
