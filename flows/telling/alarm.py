"""The auditor's own alarm: straight through a channel, past the outbox and the ledger, which may be what
is broken (law 13).

Trouble is told when it is seen a second time in a row, again every `alarm.every` while something urgent
is unmended, at once when new trouble joins it, and once when all is well again. Standard error hears
of it every time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog

from connectors.ports import Message, Outcome
from flows.audit import Finding
from flows.telling.listening import KEY, Listener, Said, last_said, listeners, remembered, stand_ins
from flows.wiring import House
from models.core.moment import clock_face, iso, parse_iso
from models.core.personal import mask_personal
from models.core.roster import Contact
from models.core.vocabulary import AlertKind
from models.ledger import duties

log = structlog.get_logger()


class Memory(Protocol):
    """Where the last alarm is remembered, so that it is neither repeated too soon nor forgotten."""

    def read(self) -> Said: ...

    def write(self, said: Said) -> None: ...


@dataclass
class InDatabase:
    """For the auditor, whichever process it runs in: it cannot look without the database anyway."""

    house: House

    def read(self) -> Said:
        with self.house.store.read() as conn:
            return last_said(conn)

    def write(self, said: Said) -> None:
        with self.house.store.write() as conn:
            duties.put_setting(conn, KEY, asdict(said))


@dataclass
class OnDisk:
    """For a process's own lookout: a small file, and the process itself where the disk is full."""

    path: Path
    _last: Said | None = None

    def read(self) -> Said:
        if self._last is None:
            self._last = Said()
            with suppress(OSError, ValueError):
                self._last = remembered(json.loads(self.path.read_text(encoding="utf-8")))
        return self._last

    def write(self, said: Said) -> None:
        self._last = said
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(json.dumps(asdict(said)), encoding="utf-8")


def speak(house: House, memory: Memory, found: Sequence[Finding]) -> None:
    """Tell people what `found` says where it is news; remember what was said."""
    known, now = memory.read(), house.time.now()
    for finding in found:
        log.error("the auditor found trouble", key=finding.key, reason=_nameless(house, finding.words))
    then = _after(house, known, found, now)
    if then != known:
        memory.write(then)


def _after(house: House, known: Said, found: Sequence[Finding], now: datetime) -> Said:
    keys = tuple(finding.key for finding in found)
    if not found:
        return Said() if not known.told or _tell(house, _mended(known), known.since, now) else known
    lasting = [finding for finding in found if finding.key in known.seen]
    if not _is_news(house, known, lasting, now):
        return Said(keys, known.told, known.since, known.at)
    since = known.since or iso(now)
    if not _tell(house, "；\n".join(finding.words for finding in lasting), since, now):
        return Said(keys, known.told, known.since, known.at)
    return Said(keys, tuple(finding.key for finding in lasting), since, iso(now))


def _is_news(house: House, known: Said, lasting: Sequence[Finding], now: datetime) -> bool:
    """Trouble that stands and was not told; or urgent trouble that was told long enough ago."""
    if any(finding.key not in known.told for finding in lasting):
        return True
    again = known.at is None or now - parse_iso(known.at) >= house.site.alarm.every * house.time.speed
    return again and any(finding.urgent for finding in lasting)


def _mended(known: Said) -> str:
    since = f"{clock_face(parse_iso(known.since))} 起的问题" if known.since else "先前的问题"
    return f"已恢复：{since}都已消除，时钟与提醒正常"


def _tell(house: House, words: str, since: str | None, now: datetime) -> bool:
    """To all listeners; when no channel takes it for any of them, up the ladder until one does."""
    for group in (listeners(house, now), *stand_ins(house, now)):
        heard = [_told(house, listener, words, since or iso(now), now) for listener in group]
        if any(heard):
            return True
    log.error("nobody could be told of the trouble", reason=_nameless(house, words))
    return False


def _nameless(house: House, words: str) -> str:
    """For the log: whoever reads it need not know who is on duty."""
    return mask_personal(words, [person.name for person in house.site.roster.people])


def _told(house: House, listener: Listener, words: str, since: str, now: datetime) -> bool:
    for contact in listener.contacts:
        channel = house.channels.get(contact.channel)
        if channel is not None:
            done = channel.send(_message(house, listener, contact, words, since, now))
            if done.outcome is Outcome.ACCEPTED:
                return True
            log.warning("the alarm was not taken", channel=contact.channel, reason=done.reason)
    return False


def _message(
    house: House, listener: Listener, contact: Contact, words: str, since: str, now: datetime
) -> Message:
    """In the shape of a notice; its reference is the same as long as it is the same trouble."""
    person = listener.person.id if listener.person else contact.address
    unit = house.site.roster.unit(listener.person.unit) if listener.person else None
    name, ref = f"alarm-{person}-{now:%Y%m%dT%H%M%S%f}", f"系统告警 {clock_face(parse_iso(since))}"
    payload = {
        "alert_id": name,
        "ref": ref,
        "kind": AlertKind.ALARM.value,
        "attempt": 1,
        "reason": words,
        "title": f"{house.site.name}：回应系统自我审计",
        "url": f"{house.public_url}/",
        "recipient": {"person": person, "name": listener.name, "unit": unit.name if unit else ""},
        "raised_at": since,
        "sent_at": iso(now),
        "late_by_s": 0.0,
    }
    title = f"{AlertKind.ALARM.zh} · {house.site.name}"
    return Message(name, ref, contact.address, title, f"{words}\n{house.public_url}/", payload)
