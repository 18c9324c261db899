"""A signed webhook after the Standard Webhooks specification.

Headers: `webhook-id` is the alert's id, the same on a resend, so that a receiver can drop the
copy; `webhook-timestamp`; `webhook-signature`. The body is contract.md's JSON, UTF-8.

The secret is either `whsec_` and base64, or any plain string. A plain string signs twice, which
the specification allows (signatures are a list): once with its UTF-8 bytes as the key, and, where
it can be read as base64, once with that, so that both `Webhook(secret)` and
`Webhook(secret.encode())` of any receiver verify it. `whsec_` signs once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime

import httpx2
from standardwebhooks import Webhook as Signer
from standardwebhooks.webhooks import EmptyWebhookSecretError

from connectors.channels import posting
from connectors.channels.posting import Answer
from connectors.channels.settings import Now, Secrets, Settings, name, secret, text, web_address
from connectors.ports import Delivery, Message, Outcome, Refused
from models.core.moment import parse_iso, utc


@dataclass(slots=True, eq=False)
class Webhook:
    """POSTs alerts to one URL over kept-open connections; usable from many threads at once."""

    id: str
    url: str = field(repr=False)  # may carry a token in its query
    client: httpx2.Client = field(repr=False)
    signers: tuple[Signer, ...] = field(repr=False)
    now: Now | None = field(repr=False, default=None)
    type: str = "webhook"

    def send(self, message: Message) -> Delivery:
        body = json.dumps(message.payload, ensure_ascii=False).encode("utf-8", "replace")
        headers = _signed(message, body, self.signers, self._moment(message))
        return posting.deliver(self.id, self.client, self.url, body, self._judge, headers)

    def check(self) -> str | None:
        return None

    def close(self) -> None:
        self.client.close()

    def _judge(self, answer: Answer) -> Delivery:
        """Any 2xx is a yes: a machine takes what it answers for, and its words are its own."""
        refused = posting.no(self.id, answer, self.now and self.now())
        words = f"{self.id}: HTTP {answer.status}"
        return refused or Delivery(Outcome.ACCEPTED, words, receipt=str(answer.status))

    def _moment(self, message: Message) -> datetime:
        return self.now() if self.now else parse_iso(str(message.payload["sent_at"]))


def build(settings: Settings, secrets: Secrets, now: Now | None = None) -> Webhook:
    """{id, type: webhook, url, secret, timeout_s: 10, connections: 32}. Raises Refused."""
    return Webhook(
        id=text(settings, "id"),
        url=web_address(settings, "url"),
        signers=signers(settings, secret(settings, secrets, "secret")),
        client=posting.client(settings),
        now=now,
    )


def signers(settings: Settings, key: str) -> tuple[Signer, ...]:
    """One signer for `whsec_…`, up to two for a plain string (module docstring). Raises Refused."""
    as_base64 = _base64_signer(key)
    if key.startswith("whsec_"):
        if as_base64 is None:
            raise Refused(f"{name(settings)}: the secret starts with whsec_ but what follows is not base64")
        return (as_base64,)
    as_bytes = Signer(key.encode())
    return (as_bytes, as_base64) if as_base64 else (as_bytes,)


def _base64_signer(key: str) -> Signer | None:
    try:
        return Signer(key)
    except (ValueError, EmptyWebhookSecretError):  # not base64, or nothing in it
        return None


def _signed(message: Message, body: bytes, by: tuple[Signer, ...], at: datetime) -> dict[str, str]:
    moment = utc(at)  # the library takes whatever hour it is given for UTC
    data = body.decode()
    marks = (signer.sign(message.alert_id, moment, data) for signer in by)
    return {
        "webhook-id": message.alert_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(marks),
    }
