"""By which names the console may be called: its own, and such as nobody can buy."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from connectors.console.app import build
from connectors.console.hosts import is_ours
from support.fake_desk import FakeDesk

OURS = ("duty.gov.cn",)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8787",
        "127.0.0.1:",
        "[::1]",
        "[::1]:80",
        "localhost:1",
        "huiying",
        "a.localhost",
        "duty.gov.cn",
        "DUTY.gov.cn.:443",
        "",
    ],
)
def test_our_own_names_are_answered(host: str) -> None:
    assert is_ours(host, OURS)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "duty.gov.cn.evil.example",
        "x.duty.gov.cn",
        "a@b",
        "127.0.0.1:80/static/x?",
        "a/static?",
        "duty.gov.cn:80@evil.example",
        "0x7f.1",
        "[::1]x",
        "127.0.0.1, evil.example",
    ],
)
def test_others_are_not(host: str) -> None:
    assert not is_ours(host, OURS)


def test_a_site_names_its_own() -> None:
    named = TestClient(build(FakeDesk(), names=OURS), base_url="http://duty.gov.cn")
    other = TestClient(build(FakeDesk()), base_url="http://duty.gov.cn")
    assert named.get("/").status_code == 200
    refused = other.get("/")
    assert refused.status_code == 400
    assert "console" in refused.text
    assert refused.headers["connection"] == "close"
