"""The Slack part of channels.yaml: what the guide shows is well, what is wrong is told at its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from playbooks.loader import load
from playbooks.problem import errors
from playbooks.site import survey

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "Slack.md"
MANIFEST = ROOT / "deploy" / "slack" / "manifest.yaml"
SHOWN = re.compile(r"```yaml\n# (\w+)\.yaml\n(.*?)```", re.S)


def guide() -> dict[str, str]:
    """File → what the guide writes into it."""
    return dict(SHOWN.findall(GUIDE.read_text(encoding="utf-8")))


def told(directory: Path, **changes: str) -> list[str]:
    """Everything that is wrong with the guide's site after `changes` (the old → the new, in channels.yaml)."""
    files = guide() | {"site": "name: 临江市政府办公室\n"}
    for old, new in (pair.split(" => ") for pair in changes.values()):
        assert old in files["channels"]
        files["channels"] = files["channels"].replace(old, new)
    for name, text in files.items():
        (directory / f"{name}.yaml").write_text(text, encoding="utf-8")
    return [str(one) for one in errors(survey(directory, None)[1])]


def test_what_the_guide_shows_is_a_site(tmp_path: Path) -> None:
    assert told(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("C0123456789 => 事件频道", "不是 Slack 频道的 ID"),
        ("U0ZHOU00000: => zhou:", "不是 Slack 用户的 ID"),
        (": zhou} => : zhuo}", "没有人员 “zhuo”，是不是 “zhou”"),
        ("${HUIYING_SLACK_SIGNING_SECRET} => 8f742231b10e8888abcd99yyyzzz85a5", "channels.yaml:5"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(change: str, words: str, tmp_path: Path) -> None:
    (found,) = told(tmp_path, change=change)
    assert words in found and "channels.yaml:" in found
    assert "8f742231b10e8888" not in found


def test_the_manifest_asks_for_no_more_than_the_guide_explains() -> None:
    manifest = load(MANIFEST).data
    scopes = manifest["oauth_config"]["scopes"]["bot"]
    assert set(scopes) == {
        "chat:write", "commands", "im:write", "im:history", "channels:history", "groups:history", "files:read",
    }  # fmt: skip
    addresses = [
        manifest["settings"]["event_subscriptions"]["request_url"],
        manifest["settings"]["interactivity"]["request_url"],
        *(one["url"] for one in manifest["features"]["slash_commands"]),
    ]
    assert sorted(address.rpartition("/")[2] for address in addresses) == ["actions", "commands", "events"]
