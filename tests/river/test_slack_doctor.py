"""`huiying doctor` asks Slack who the bot is, and names each scope that is missing with what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.office.slack_scopes import findings
from flows.telling.slack_people import slacks
from support.receiver import Answer
from support.river_site import Site, river
from support.slack import Workspace
from support.slack_site import by_slack


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


@pytest.fixture
def site(tmp_path: Path, slack: Workspace) -> Iterator[Site]:
    with river(
        tmp_path, f"sqlite:///{tmp_path}/s.db", by_slack(slack.api, "C0ROOM", {"chen": "UCHEN"})
    ) as made:
        yield made


@pytest.mark.parametrize(
    ("scopes", "words", "grave"),
    [
        ("chat:write,commands,im:write,im:history,groups:history,files:read", ["权限齐全"], False),
        ("chat:write,commands,im:write,im:history,files:read", ["channels:history"], False),
        ("im:write,im:history,commands,files:read,channels:history", ["chat:write：提醒发不出去"], True),
        ("", ["权限未知"], False),
    ],
)
def test_missing_scopes_are_named(
    scopes: str, words: list[str], grave: bool, site: Site, slack: Workspace
) -> None:
    slack.scopes = scopes
    found = [one for channel in slacks(site.house) for one in findings(channel)]
    assert all(any(word in detail for _, detail, _ in found) for word in words)
    assert any(not ok and not warning for ok, _, warning in found) == grave


def test_a_token_that_slack_does_not_know_is_told(site: Site, slack: Workspace) -> None:
    slack.fault("auth.test", Answer(body=b'{"ok": false, "error": "invalid_auth"}'), Answer(status=503))
    (channel,) = slacks(site.house)
    assert [(ok, warning) for ok, _, warning in findings(channel)] == [(False, False)]
    assert [(ok, warning) for ok, _, warning in findings(channel)] == [(False, True)]
