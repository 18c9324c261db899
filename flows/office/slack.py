"""Slack's doors: whose signature it is, then the clerk of that channel."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from connectors.channels.slack import Slack, arriving, verify
from connectors.channels.slack.verify import NotSlack
from connectors.console.desk import Refusal, Unsigned, View
from connectors.ports import Refused
from flows import timekeeping
from flows.office.plainly import reachable
from flows.telling.slack_acts import Clerk
from flows.telling.slack_acts import Desk as ClerksDesk
from flows.telling.slack_people import slacks

_NOBODY = "没有登记 Slack 的 signing_secret，无从核对；请写进 channels.yaml，或改用 Socket Mode"


class Slacks:
    """The desk's room for Slack. Implements `connectors.console.desks.slack.SlackDesk`."""

    def __init__(self, desk: ClerksDesk) -> None:
        self._desk = desk

    @cached_property
    def _clerks(self) -> dict[str, Clerk]:
        return {channel.id: Clerk(self._desk, channel) for channel in slacks(self._desk.house)}

    def received(self, door: str, headers: Mapping[str, str], body: bytes) -> tuple[View, str]:
        with reachable():
            channel = self._signer(headers, body)
            try:
                payload = arriving.payload_of(door, body)
            except Refused as error:
                raise Refusal(str(error)) from None
            if payload.get("type") == "url_verification":
                return {"challenge": str(payload.get("challenge") or "")[:2000]}, ""
            answer, key = self._clerks[channel.id].receive(payload)
            return answer, f"{channel.id}/{key}" if key else ""

    def work(self, key: str) -> None:
        way, _, rest = key.partition("/")
        with reachable():
            self._clerks[way].work(rest)

    def _signer(self, headers: Mapping[str, str], body: bytes) -> Slack:
        """The channel whose secret made the signature; a site may have several workspaces. Raises Unsigned."""
        wrong: Exception = Unsigned(_NOBODY)
        now = timekeeping.world(self._desk.house.time)()
        for clerk in self._clerks.values():
            if clerk.channel.signing_secret:
                try:
                    verify.verify(clerk.channel.signing_secret, headers, body, now)
                    return clerk.channel
                except NotSlack as error:
                    wrong = error
        raise Unsigned(str(wrong))
