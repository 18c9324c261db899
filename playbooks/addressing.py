"""Contacts whose address their channel cannot call anybody by: said while the files are read, not at night."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from models.core.addressing import mistake
from models.core.mentions import trouble
from playbooks.channels_paper import ChannelsSource
from playbooks.loader import Document, KeyPath
from playbooks.papers import AlarmSource
from playbooks.problem import Problem
from playbooks.roster_paper import ContactSource, RosterSource


def kinds_of(channels: ChannelsSource) -> dict[str, str]:
    """A channel's id → its type."""
    return {channel.id: channel.type for channel in channels.channels}


def misaddressed(document: Document, roster: RosterSource, kinds: Mapping[str, str]) -> Iterator[Problem]:
    """Of the roster's people."""
    for n, person in enumerate(roster.people):
        yield from _checked(document, ("people", n, "contacts"), person.contacts, kinds)


def misaddressed_alarm(document: Document, alarm: AlarmSource, kinds: Mapping[str, str]) -> Iterator[Problem]:
    """Of the system's own alarm."""
    yield from _checked(document, ("alarm", "contacts"), alarm.contacts, kinds)


def _checked(
    document: Document, path: KeyPath, contacts: Iterable[ContactSource], kinds: Mapping[str, str]
) -> Iterator[Problem]:
    for n, contact in enumerate(contacts):
        kind = kinds.get(contact.channel, "")
        found = trouble(kind, contact.address) or mistake(kind, contact.address)
        if found is not None:
            wrong, hint = found
            yield document.problem((*path, n, "address"), f"“{contact.address[:40]}”：{wrong}", hint)
