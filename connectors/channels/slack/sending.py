"""The Slack channel: alerts out, and what is known of the workspace for all else that is said there.

slack_sdk's own retries are switched off: the outbox retries, with the same reference, and every attempt
is on record. Where an attempt went unanswered, Slack is asked first whether it arrived after all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from slack_sdk import WebClient

from connectors.channels.settings import Now, Secrets, Settings, name, seconds, secret, text, web_address
from connectors.channels.slack import hushed, names
from connectors.channels.slack.alerts import alert_ids, post
from connectors.channels.slack.talk import Marks, Talk
from connectors.ports import Delivery, Message, Outcome, Refused

_MOST_DOUBTFUL = 10_000


@dataclass(slots=True, eq=False)
class Slack:
    """Posts to the channel or user id in each message's address; usable from many threads.

    `incidents`: the conversation that has a message of each incident. `users`: Slack's user id → person.
    """

    id: str
    talk: Talk = field(repr=False)
    incidents: str = ""
    users: Mapping[str, str] = field(default_factory=dict)
    signing_secret: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)
    doubtful: set[str] = field(default_factory=set, repr=False)  # alerts sent, with no answer seen
    type: str = "slack"

    def send(self, message: Message) -> Delivery:
        earlier = self._earlier(message) if message.alert_id in self.doubtful else None
        done = earlier or self._posted(message)
        unknown = done.outcome is Outcome.UNKNOWN or (earlier is not None and done.outcome is Outcome.RETRY)
        self._remember(message.alert_id, unknown)
        return done

    def _posted(self, message: Message) -> Delivery:
        """As a reply where it is one; where Slack takes no reply (the incident's message was deleted, its
        thread locked) the alert stands in the room by itself."""
        done = self.talk.post(**post(message)).delivery
        if message.thread and done.outcome is Outcome.REFUSED:
            return self.talk.post(**post(replace(message, thread=""))).delivery
        return done

    def _earlier(self, message: Message) -> Delivery | None:
        """What is to be said of an attempt that went unanswered: it arrived; or nobody can tell now, and
        nothing is sent. None: it did not arrive, or we may not look, so it is sent again."""
        wanted = set(alert_ids(message))
        opened, place = self.talk.room(message.address)
        said, ts = opened, ""
        if place:
            said, ts = self.talk.find(
                place, names.ALERT_EVENT, lambda marks: wanted <= _ids(marks), message.thread
            )
        if ts:
            return Delivery(Outcome.ACCEPTED, f"{self.id}: 上一次其实已送达，未重发", receipt=ts)
        if said.ok or said.outcome is Outcome.REFUSED:
            return None
        reason = f"{self.id}: 上一次未见答复，正在核对是否送达（{said.reason}）"
        return Delivery(Outcome.RETRY, reason, retry_after=said.retry_after)

    def _remember(self, alert_id: str, doubtful: bool) -> None:
        if doubtful and len(self.doubtful) < _MOST_DOUBTFUL:
            self.doubtful.add(alert_id)
        else:
            self.doubtful.discard(alert_id)

    def check(self) -> str | None:
        return None

    def close(self) -> None:
        """slack_sdk opens a connection for each call and keeps none."""


def _ids(marks: Marks) -> set[str]:
    """The alerts that a message of ours in Slack holds."""
    also = marks.get("alerts")
    return {str(marks.get("alert_id")), *(map(str, also) if isinstance(also, list) else ())}


def build(settings: Settings, secrets: Secrets, now: Now | None = None) -> Slack:
    """{id, type: slack, token, signing_secret, app_token, incidents, users {U…: person},
    base_url: https://slack.com/api/, timeout_s: 10, proxy: none}.

    `token` refers to a bot token (xoxb-…) with chat:write; the others are wanted only for what is named
    after them. Raises Refused.
    """
    client = WebClient(
        token=secret(settings, secrets, "token"),
        base_url=web_address(settings, "base_url", WebClient.BASE_URL),
        timeout=seconds(settings, "timeout_s", 10.0),  # type: ignore[arg-type]  # passed on to a socket
        retry_handlers=[],
        logger=hushed.logger(),
    )
    # slack_sdk would take HTTPS_PROXY and overlook NO_PROXY; without a proxy of its own it leaves
    # both to the standard library, which heeds both
    client.proxy = settings.get("proxy")
    return Slack(
        text(settings, "id"),
        Talk(text(settings, "id"), client),
        incidents=str(settings.get("incidents") or ""),
        users=_users(settings),
        signing_secret=_optional(settings, secrets, "signing_secret"),
        app_token=_optional(settings, secrets, "app_token"),
    )


def _optional(settings: Settings, secrets: Secrets, key: str) -> str:
    return secret(settings, secrets, key) if settings.get(key) else ""


def _users(settings: Settings) -> dict[str, str]:
    users = settings.get("users") or {}
    if not isinstance(users, Mapping):
        raise Refused(f"{name(settings)}: 'users' maps Slack user ids to people; write U0123ABC: chen")
    return {str(user): str(person) for user, person in users.items()}
