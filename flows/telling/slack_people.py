"""Which Slack channels a site has, and which person of the roster a Slack user is."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.channels.slack import Slack
from flows.wiring import House


def slacks(house: House) -> list[Slack]:
    """Every Slack channel of the site whose settings are usable."""
    return [channel for channel in house.channels.values() if isinstance(channel, Slack)]


def person_of(house: House, channel: Slack, user: str) -> str | None:
    """The person id: as channels.yaml says under `users`, else whose contact on this channel it is."""
    if not user:
        return None
    mapped = channel.users.get(user)
    known = {person.id for person in house.site.roster.people}
    return mapped if mapped in known else contacts(house, channel).get(user)


def contacts(house: House, channel: Slack) -> Mapping[str, str]:
    """Address on this channel → person; an address that several share is nobody's."""
    found: dict[str, set[str]] = {}
    for person in house.site.roster.people:
        for contact in person.contacts:
            if contact.channel == channel.id:
                found.setdefault(contact.address, set()).add(person.id)
    return {address: next(iter(people)) for address, people in found.items() if len(people) == 1}
