"""A Slack workspace of our own on loopback, for what the emulator does not play: faults, lost answers, Socket
Mode; and what Slack sends us, signed as Slack signs it.

`with Workspace() as slack: slack.fault("chat.postMessage", Answer(status=429)); … slack.posts("C0ROOM")`.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from support.receiver import Answer, Receiver, Request

SIGNING = "a signing secret of tests only"
TOKEN = "xoxb-rehearsal-0000-not-a-real-token"
APP_TOKEN = "xapp-rehearsal-0000-not-a-real-token"
Message = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """How one call is answered instead; `arrived`: what it asked for was done all the same."""

    answer: Answer
    arrived: bool = False


class Workspace(Receiver):
    """Keeps what it is told: messages by room, ephemeral lines, forms that were opened, homes by user."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms: dict[str, list[Message]] = {}
        self.whispers: list[Message] = []
        self.forms: list[Message] = []
        self.homes: dict[str, Message] = {}
        self.answers: list[Message] = []  # what came to a response_url
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.scopes = "chat:write,channels:history,im:history,im:write,commands"
        self.files: dict[str, bytes | Answer] = {}
        self.socket_url = ""
        self._faults: dict[str, list[Fault]] = {}
        self._ts = itertools.count(100)

    @property
    def api(self) -> str:
        return f"{self.url}/api/"

    def fault(self, method: str, *answers: Answer, arrived: bool = False) -> None:
        """The next calls of `method` are answered so."""
        self._faults.setdefault(method, []).extend(Fault(answer, arrived) for answer in answers)

    def posts(self, room: str) -> list[Message]:
        """The messages of a room that are no replies."""
        return [one for one in self.rooms.get(room, []) if not one.get("thread_ts")]

    def thread(self, room: str, ts: str) -> list[Message]:
        return [one for one in self.rooms.get(room, []) if one.get("thread_ts") == ts]

    def called(self, method: str) -> list[dict[str, Any]]:
        return [args for name, args in self.calls if name == method]

    def take(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            path = urlsplit(request.path)
            if path.path.startswith("/files/"):
                found = self.files[path.path]
                return found if isinstance(found, Answer) else Answer(body=found)
            if path.path.startswith("/answer/"):
                self.answers.append(request.json())
                return Answer(body=b"ok")
            method, args = path.path.rsplit("/", 1)[-1], _arguments(request)
            self.calls.append((method, args))
            waiting = self._faults.get(method)
            fault = waiting.pop(0) if waiting else None
            if fault is not None and not fault.arrived:
                return fault.answer
            done = self._do(method, args)
            return fault.answer if fault is not None else done

    def _do(self, method: str, args: dict[str, Any]) -> Answer:
        doing = getattr(self, "_" + method.replace(".", "_"), None)
        said = doing(args) if doing else {"ok": False, "error": "unknown_method"}
        headers = {"x-oauth-scopes": self.scopes} if method == "auth.test" else {}
        return Answer(body=json.dumps({"ok": True} | said).encode(), headers=headers)

    # each method by Slack's own name

    def _auth_test(self, args: dict[str, Any]) -> Message:
        return {"user_id": "UBOT", "team": "临江", "team_id": "T1"}

    def _chat_postMessage(self, args: dict[str, Any]) -> Message:
        ts = f"1795233180.{next(self._ts):06}"
        self.rooms.setdefault(str(args["channel"]), []).append(args | {"ts": ts})
        return {"ts": ts, "channel": args["channel"]}

    def _chat_update(self, args: dict[str, Any]) -> Message:
        for message in self.rooms.get(str(args["channel"]), []):
            if message["ts"] == args["ts"]:
                message.update(args)
                return {"ts": args["ts"]}
        return {"ok": False, "error": "message_not_found"}

    def _chat_postEphemeral(self, args: dict[str, Any]) -> Message:
        self.whispers.append(args)
        return {"message_ts": "1"}

    def _views_open(self, args: dict[str, Any]) -> Message:
        self.forms.append(args)
        return {"view": {"id": "V1"}}

    def _views_publish(self, args: dict[str, Any]) -> Message:
        self.homes[str(args["user_id"])] = _whole(args["view"])
        return {"view": {"id": "V2"}}

    def _conversations_open(self, args: dict[str, Any]) -> Message:
        return {"channel": {"id": args["users"]}}

    def _conversations_history(self, args: dict[str, Any]) -> Message:
        return {"messages": list(reversed(self.posts(str(args["channel"]))))}

    def _conversations_replies(self, args: dict[str, Any]) -> Message:
        ts = str(args["ts"])
        parent = [one for one in self.posts(str(args["channel"])) if one["ts"] == ts]
        return {"messages": [*parent, *self.thread(str(args["channel"]), ts)]}

    def _apps_connections_open(self, args: dict[str, Any]) -> Message:
        return {"url": self.socket_url}


def _arguments(request: Request) -> dict[str, Any]:
    """Slack takes JSON and forms, and a form's values may be JSON."""
    query = dict(parse_qsl(urlsplit(request.path).query))
    if request.headers.get("content-type", "").startswith("application/json"):
        read: dict[str, Any] = json.loads(request.body or b"{}")
        return query | read
    sent = dict(parse_qsl(request.body.decode()))
    return query | {name: _whole(value) for name, value in sent.items()}


def _whole(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.loads(value)
    return value


# ── what Slack sends ──────────────────────────────────────────────────────────────────────────

_numbers = itertools.count(1)


def sign(body: bytes, at: datetime | None = None, secret: str = SIGNING) -> dict[str, str]:
    stamp = str(int((at or datetime.now(UTC)).timestamp()))
    mark = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={mark}",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def as_form(payload: dict[str, Any]) -> bytes:
    """How actions come: JSON in a form's field."""
    return urlencode({"payload": json.dumps(payload, ensure_ascii=False)}).encode()


def press(user: str, action: str, value: str, room: str = "C0ROOM", **more: Any) -> dict[str, Any]:
    """Somebody pressed a button. `message`: the message it stands on."""
    number = next(_numbers)
    return {
        "type": "block_actions",
        "token": "an old token that nobody needs",
        "user": {"id": user},
        "channel": {"id": room},
        "trigger_id": f"{number}.trigger",
        "actions": [{"action_id": action, "value": value, "action_ts": f"{number}.0"}],
        **more,
    }


def form(user: str, callback: str, kept: str, values: dict[str, Any]) -> dict[str, Any]:
    """Somebody sent a form; `values`: field → the element's state."""
    number = next(_numbers)
    state = {name: {name: value} for name, value in values.items()}
    view = {"id": f"V{number}", "callback_id": callback, "private_metadata": kept, "state": {"values": state}}
    return {"type": "view_submission", "user": {"id": user}, "trigger_id": f"{number}.trigger", "view": view}


def command(user: str, text: str, answer_at: str = "") -> dict[str, str]:
    return {
        "command": "/huiying",
        "text": text,
        "user_id": user,
        "channel_id": "C0ROOM",
        "trigger_id": f"{next(_numbers)}.trigger",
        "response_url": answer_at,
    }


def home_opened(user: str) -> dict[str, Any]:
    event = {"type": "app_home_opened", "user": user, "tab": "home"}
    return {"type": "event_callback", "event_id": f"Ev{next(_numbers)}", "event": event}


# ── Socket Mode ───────────────────────────────────────────────────────────────────────────────


@dataclass
class Line:
    """Slack's end of Socket Mode: who has dialled in, what was sent, what came back."""

    server: Server
    dialled: list[ServerConnection] = field(default_factory=list)
    acks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.server.socket.getsockname()[1]}/link?ticket=once"

    def send(self, kind: str, payload: dict[str, Any], envelope: str) -> None:
        self.dialled[-1].send(json.dumps({"type": kind, "envelope_id": envelope, "payload": payload}))

    def hang_up(self) -> None:
        self.dialled[-1].close()


@contextmanager
def open_line() -> Iterator[Line]:
    line: Line

    def talk(connection: ServerConnection) -> None:
        line.dialled.append(connection)
        connection.send(json.dumps({"type": "hello"}))
        with suppress(ConnectionClosed):  # whoever dialled in may be killed
            for said in connection:
                line.acks.append(json.loads(said))

    with serve(talk, "127.0.0.1", 0) as server:
        line = Line(server)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield line
        server.shutdown()
