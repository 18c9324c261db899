"""Calls to Slack's Web API, each answered with what became of it: nothing here raises for what Slack says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from connectors.channels.slack import hushed, judging
from connectors.ports import Delivery, Outcome, Refused, Unreachable

Marks = Mapping[str, Any]
NEWEST = 100
"""How many of the newest messages are looked through for one whose sending was not answered."""


@dataclass(frozen=True, slots=True)
class Said:
    """What Slack answered. `code`: its own word for a no."""

    outcome: Outcome
    reason: str
    data: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.ACCEPTED

    @property
    def ts(self) -> str:
        return str(self.data.get("ts") or "")

    @property
    def delivery(self) -> Delivery:
        return Delivery(self.outcome, self.reason, self.ts or None, self.retry_after)


@dataclass(slots=True, eq=False)
class Talk:
    """One workspace's bot. Usable from many threads: slack_sdk opens a connection for each call."""

    id: str
    client: WebClient = field(repr=False)  # holds the token

    def post(self, **message: Any) -> Said:
        return self._call(self.client.chat_postMessage, **message)

    def update(self, **message: Any) -> Said:
        return self._call(self.client.chat_update, **message)

    def whisper(self, place: str, user: str, text: str, thread: str = "") -> Said:
        """A line that only `user` sees."""
        where = {"thread_ts": thread} if thread else {}
        return self._call(self.client.chat_postEphemeral, channel=place, user=user, text=text, **where)

    def open_form(self, trigger: str, view: dict[str, Any]) -> Said:
        return self._call(self.client.views_open, trigger_id=trigger, view=view)

    def publish_home(self, user: str, view: dict[str, Any]) -> Said:
        return self._call(self.client.views_publish, user_id=user, view=view)

    def who(self) -> Said:
        """auth.test; its headers name the scopes, under `scopes`."""
        return self._call(self.client.auth_test)

    def room(self, address: str) -> tuple[Said, str]:
        """The conversation of an address; a user's is opened first (im:write). "" where Slack does not tell."""
        if not address.startswith(("U", "W")):
            return Said(Outcome.ACCEPTED, f"{self.id}: ok"), address
        said = self._call(self.client.conversations_open, users=address)
        channel = said.data.get("channel")
        return said, str(channel.get("id") or "") if isinstance(channel, Mapping) else ""

    def find(
        self, place: str, event: str, fits: Callable[[Marks], bool], thread: str = "", since: str = ""
    ) -> tuple[Said, str]:
        """The ts of the newest message whose metadata fits, "" when there is none; what Slack said first.

        Wants channels:history (groups:history, im:history); without it the answer is a refusal.
        """
        args: dict[str, Any] = {"channel": place, "limit": NEWEST, "include_all_metadata": True}
        args |= {"oldest": since, "inclusive": True} if since else {}
        read = self.client.conversations_replies if thread else self.client.conversations_history
        said = self._call(read, **args, **({"ts": thread} if thread else {}))
        return said, _found(said.data.get("messages"), event, fits)

    def answer(self, address: str, text: str) -> Said:
        """Say something to whoever pressed, by the address that came with the press."""
        if not self._is_slacks(address):
            return Said(Outcome.REFUSED, f"{self.id}: 回答的地址不是 Slack 的")
        hook = WebhookClient(
            address, timeout=int(self.client.timeout), retry_handlers=[], logger=hushed.logger()
        )
        hook.proxy = self.client.proxy
        try:
            got = hook.send(text=text, response_type="ephemeral", replace_original=False)
        except Exception as error:  # noqa: BLE001  (slack_sdk stumbles over odd answers in many ways)
            return _raised(self.id, error)
        fine = got.status_code == 200
        return Said(Outcome.ACCEPTED if fine else Outcome.REFUSED, f"{self.id}: HTTP {got.status_code}")

    def download(self, address: str, most: int) -> bytes:
        """A file that somebody put into a form, at most `most` bytes and one. Raises Refused, Unreachable."""
        if not self._is_slacks(address):
            raise Refused(f"{self.id}: 文件的地址不是 Slack 的，没有取；请在页面上附文件")
        request = Request(address, headers={"Authorization": f"Bearer {self.client.token}"})
        proxies = ProxyHandler({"https": self.client.proxy} if self.client.proxy else None)
        try:
            with build_opener(proxies, _Straight()).open(request, timeout=self.client.timeout) as answer:
                return bytes(answer.read(most + 1))
        except OSError as error:
            raise Unreachable(f"{self.id}: 文件没有取到 ({type(error).__name__})；请在页面上附文件") from None

    def _is_slacks(self, address: str) -> bool:
        """Slack's own hosts, or the one that the settings name in its place."""
        parts, ours = urlsplit(address), urlsplit(self.client.base_url)
        host = parts.hostname or ""
        slack = parts.scheme == "https" and (host == "slack.com" or host.endswith(".slack.com"))
        return slack or (parts.scheme, parts.netloc) == (ours.scheme, ours.netloc)

    def _call(self, method: Callable[..., Any], **args: Any) -> Said:
        try:
            answer = method(**args)
        except Exception as error:  # noqa: BLE001  (slack_sdk stumbles over odd answers in many ways)
            return _raised(self.id, error)
        data = answer.data if isinstance(answer.data, dict) else {}
        if data.get("ok") is not True:  # slack_sdk takes a 1 for a yes
            return Said(Outcome.UNKNOWN, f"{self.id}: 答复读不懂")
        return Said(Outcome.ACCEPTED, f"{self.id}: ok", data | {"scopes": _header(answer, "x-oauth-scopes")})


class _Straight(HTTPRedirectHandler):
    """Follows nowhere: the token must not go along to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _header(answer: Any, name: str) -> str:
    found = next((value for key, value in answer.headers.items() if key.lower() == name), "")
    return str(found[0] if isinstance(found, list) and found else found or "")


def _raised(place: str, error: Exception) -> Said:
    judged = judging.read(place, error)
    return Said(judged.outcome, judged.reason, {}, judging.code(error), judged.retry_after)


def _found(messages: object, event: str, fits: Callable[[Marks], bool]) -> str:
    for message in messages if isinstance(messages, list) else ():
        marked = message.get("metadata") if isinstance(message, Mapping) else None
        payload = marked.get("event_payload") if isinstance(marked, Mapping) else None
        event_type = marked.get("event_type") if isinstance(marked, Mapping) else None
        if isinstance(payload, Mapping) and event_type == event and fits(payload):
            return str(message.get("ts") or "")
    return ""
