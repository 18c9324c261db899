"""The ways to reach a person. One file each, one line here, one contract suite over all.

To add a channel: write `connectors/channels/<type>.py` with
`build(settings, secrets, now) -> Channel` (read the settings with `settings.py`, the alert with
`view.py`), name it in `TYPES`, and add a `Kit` to tests/support/kits.py. An adapter
translates and nothing else: it never decides who is told, when, or how often.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import cast

from connectors.channels.settings import Now, Secrets, Settings, name, text
from connectors.ports import Channel, ConnectorError, Delivery, Message, Outcome, Refused
from models.core.pacing import Limit

# type → module, imported when first wanted, so that slack_sdk is not loaded for a webhook
TYPES = {
    "terminal": "connectors.channels.terminal",
    "webhook": "connectors.channels.webhook",
    "slack": "connectors.channels.slack",
    "dingtalk": "connectors.channels.dingtalk",
    "wecom": "connectors.channels.wecom.robot",
    "wecom_app": "connectors.channels.wecom.app",
    "feishu": "connectors.channels.feishu.robot",
    "feishu_app": "connectors.channels.feishu.app",
    "mail": "connectors.channels.mail",
    "sms": "connectors.channels.gateway",
    "voice": "connectors.channels.gateway",
}

# type → messages a minute where the platform states a limit; a site may write another `per_minute`.
# DingTalk, WeCom, Feishu: per robot, in their own documents, their apps well below the 1,000 and 10,000
# calls a minute there; Slack: one a second; mail: a proposal
PER_MINUTE = {
    "dingtalk": 20, "wecom": 20, "feishu": 100, "wecom_app": 300, "feishu_app": 300, "slack": 60, "mail": 60,
}  # fmt: skip


def limit(settings: Settings) -> Limit:
    """How many messages a minute a channel bears, and how many alerts in one, from its settings.

    A webhook speaks to a machine, which wants one body an alert; one with a limit speaks to people.
    """
    kind = str(settings.get("type"))
    per_minute = settings.get("per_minute") or PER_MINUTE.get(kind)
    alone = kind == "webhook" and per_minute is None
    return Limit(per_minute, settings.get("together") or (1 if alone else None))


@dataclass(slots=True, eq=False)
class Unusable:
    """A channel whose settings are wrong: it refuses every message and says why (law 3)."""

    id: str
    type: str
    reason: str

    def send(self, message: Message) -> Delivery:
        return Delivery(Outcome.REFUSED, self.reason)

    def check(self) -> str | None:
        return self.reason

    def close(self) -> None:
        """There is nothing to let go of."""


def build(settings: Settings, secrets: Secrets, now: Now | None = None) -> Channel:
    """One channel from its settings: {id, type, …}.

    `secrets` turns a reference (`${HUIYING_HOOK_SECRET}`) into the secret. `now` is the wall
    clock, never the accelerated one: receivers compare a signature's time with their own. Without
    it a message's own `sent_at` is signed.
    Raises Refused with the place and what to mend; whatever `secrets` raises passes through.
    """
    text(settings, "id")
    kind = text(settings, "type")
    if kind not in TYPES:
        near = get_close_matches(kind, TYPES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(TYPES)}"
        raise Refused(f"{name(settings)}: no channel type {kind!r}; {hint}")
    return cast(Channel, import_module(TYPES[kind]).build(settings, secrets, now))


def build_all(every: Iterable[Settings], secrets: Secrets, now: Now | None = None) -> dict[str, Channel]:
    """All channels by id; one with wrong settings becomes `Unusable`, so the others still send."""
    return {channel.id: channel for channel in (_build_or_name(one, secrets, now) for one in every)}


def _build_or_name(settings: Settings, secrets: Secrets, now: Now | None) -> Channel:
    try:
        return build(settings, secrets, now)
    except ConnectorError as error:
        return Unusable(str(settings.get("id", "?")), str(settings.get("type", "?")), str(error))
    except (LookupError, OSError, ValueError) as error:  # what a secret that cannot be read raises
        reason = f"{name(settings)}: a secret could not be read ({error}); set it and start again"
        return Unusable(str(settings.get("id", "?")), str(settings.get("type", "?")), reason)
