"""An independent Slack (npm emulate, Node 22), started on a free port with a workspace of ours.

Its bot has the scopes of deploy/slack/manifest.yaml and no other: what they do not cover fails here.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from playbooks.loader import load
from support.missing import missing
from support.ports import free_port
from support.slack import SIGNING, TOKEN
from support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / ".cache" / "emulate" / "node_modules"
MANIFEST = ROOT / "deploy" / "slack" / "manifest.yaml"


@dataclass
class Emulator:
    """`users`: name → id. `rooms`: name → id."""

    url: str
    users: dict[str, str]
    rooms: dict[str, str]

    @property
    def api(self) -> str:
        return f"{self.url}/api/"

    def call(self, method: str, **args: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer: dict[str, Any] = httpx.post(self.api + method, json=args, headers=headers).json()
        assert answer["ok"], (method, answer)
        return answer

    def messages(self, room: str) -> list[dict[str, Any]]:
        """Oldest first."""
        found = self.call("conversations.history", channel=room, limit=200, include_all_metadata=True)
        return sorted(found["messages"], key=lambda one: str(one["ts"]))

    def replies(self, room: str, ts: str) -> list[dict[str, Any]]:
        found = self.call("conversations.replies", channel=room, ts=ts, limit=200, include_all_metadata=True)
        return [one for one in found["messages"] if one["ts"] != ts]

    def letters(self, user: str) -> list[dict[str, Any]]:
        """The direct messages to a user."""
        return self.messages(self.room(user))

    def inspected(self) -> str:
        """The emulator's own page of the forms and homes that it took."""
        return httpx.get(self.url, params={"tab": "views"}).text

    def room(self, user: str) -> str:
        """The room of the direct messages to a user."""
        return str(self.call("conversations.open", users=user)["channel"]["id"])


def scopes() -> list[str]:
    """The bot's, by the manifest that we ship."""
    manifest = load(MANIFEST).data
    return list(manifest["oauth_config"]["scopes"]["bot"])


@contextmanager
def emulator(directory: Path, people: dict[str, str], rooms: list[str]) -> Iterator[Emulator]:
    """A workspace with `people` (name → shown name) and `rooms`."""
    node, program = MODULES / "node" / "bin" / "node", MODULES / "emulate" / "dist" / "index.js"
    if not node.exists() or not program.exists():
        missing("npm's emulate is not in .cache/emulate; .ci/run brings it")
    seed, port = directory / "slack-seed.json", free_port()
    seed.write_text(json.dumps({"slack": _workspace(people, rooms)}, ensure_ascii=False), encoding="utf-8")
    command = [
        str(node),
        str(program),
        "start",
        "--service",
        "slack",
        "--port",
        str(port),
        "--seed",
        str(seed),
    ]
    log = directory / "slack-emulator.log"
    with log.open("wb") as out:
        running = subprocess.Popen(command, cwd=directory, stdout=out, stderr=out, env=dict(os.environ))
        try:
            url = f"http://localhost:{port}"
            until(lambda: _answers(url), log.read_text, alive=lambda: running.poll() is None)
            yield _known(url)
        finally:
            running.terminate()
            running.wait(20)


def _workspace(people: dict[str, str], rooms: list[str]) -> dict[str, Any]:
    return {
        "team": {"name": "临江", "domain": "office"},
        "signing_secret": SIGNING,
        "strict_scopes": True,
        "users": [{"name": "huiying", "real_name": "回应"}]
        + [{"name": name, "real_name": shown} for name, shown in people.items()],
        "channels": [{"name": name} for name in rooms],
        "tokens": [
            {"token": TOKEN, "user": "huiying", "type": "bot", "scopes": scopes()},
            {"token": "xoxb-looks-on", "user": "huiying", "scopes": ["users:read", "channels:read"]},
        ],
    }


def _answers(url: str) -> bool:
    try:
        return (
            httpx.post(f"{url}/api/auth.test", headers={"Authorization": f"Bearer {TOKEN}"}).json()["ok"]
            is True
        )
    except httpx.HTTPError:
        return False


def _known(url: str) -> Emulator:
    headers = {"Authorization": "Bearer xoxb-looks-on"}
    users = httpx.post(f"{url}/api/users.list", headers=headers).json()["members"]
    rooms = httpx.post(f"{url}/api/conversations.list", headers=headers).json()["channels"]
    return Emulator(url, {one["name"]: one["id"] for one in users}, {one["name"]: one["id"] for one in rooms})
