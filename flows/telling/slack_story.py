"""Each incident in a Slack room: one message that is updated in place, and its story in a thread.

Read (what the journal has behind the mark) → send → append (where it stands, how far it is told). Before a
message goes out a mark of it is written down and sent along, so that one whose answer was lost is looked for in
Slack before it is said again. Nothing here is in the way of the clocks or of the alerts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from connectors.channels.slack import Slack, cards, names
from connectors.channels.slack.talk import Said
from connectors.ports import ConnectorError, Outcome, Refused, Unreachable
from flows.holders import ME
from flows.telling.slack_duties import telling
from flows.wiring import House
from models.ledger import announced, chat, duties
from models.ledger.chat import Happened
from models.ledger.store import Connection, Row

LEASE = timedelta(minutes=5)
"""Longer than one incident takes, with a call that hangs: it is renewed before each."""
BATCH = 300
"""Entries of a round: what an incident has gone through in them is one change of its message."""
GAP_S = 1.0
"""Slack takes one message a second in a room."""
RETRY_S = 10.0
BEAT_S = 3.0
LOOK_BACK = timedelta(days=1)
"""A room that is new begins with what happened within a day, not with the whole past."""
GONE = frozenset({"message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed"})
"""Somebody has deleted the message, or Slack lets nobody change it any more: another is posted."""
TOO_MUCH = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
"""Blocks that Slack will not take: the same is said without them."""

Card = dict[str, Any]


def mark(channel: Slack) -> str:
    """The setting that keeps how far the room was told; another room begins anew."""
    return f"slack:{channel.id}:{channel.incidents}"


@dataclass
class Teller:
    """Tells one room. `pause` waits so many seconds, or until we are to stop."""

    house: House
    channel: Slack
    pause: Callable[[float], Any] = time.sleep
    gap_s: float = GAP_S
    by: str = ME
    said_at: float = float("-inf")
    beaten: float = float("-inf")

    def step(self) -> int:
        """One round when it is ours; how many entries of the journal it told. What Slack refuses is noted on
        the duty (the board names it), then raised: Unreachable or Refused. The next round goes on from there."""
        if not (self._waits() or time.monotonic() - self.beaten > BEAT_S) or not self._is_ours():
            return 0
        try:
            count = self._round()
        except ConnectorError as error:
            self._failed(error)
            raise
        self._done(count)
        return count

    def _waits(self) -> bool:
        with self.house.store.read() as conn:
            return announced.behind(conn, self._upto(conn)) > 0

    def _is_ours(self) -> bool:
        now, pace = self.house.time.now(), self.house.time.speed
        with self.house.store.write() as conn:
            return duties.take(conn, telling(self.channel.id), now, LEASE * pace, self.by)

    def _done(self, count: int) -> None:
        now, room = self.house.time.now(), self.channel.incidents
        with self.house.store.write() as conn:
            left = announced.behind(conn, self._upto(conn))
            detail = f"频道 {room}，刚说了 {count} 件事，还有 {left} 条日志未说" if left else f"频道 {room}"
            duties.done(conn, telling(self.channel.id), now, now, self.by, detail)
        self.beaten = time.monotonic()

    def _failed(self, error: ConnectorError) -> None:
        wait = max(RETRY_S, getattr(error, "retry_after", None) or 0.0)
        now = self.house.time.now()
        again = now + timedelta(seconds=min(wait, 300.0)) * self.house.time.speed
        with self.house.store.write() as conn:
            duties.failed(conn, telling(self.channel.id), now, again, str(error))

    def _round(self) -> int:
        with self.house.store.read() as conn:
            known = self._upto(conn)
            found, upto = chat.happened(conn, known, self.house.called, BATCH)
        for incident_id, entries in _by_incident(found):
            if not self._is_ours():
                return 0  # somebody thought us dead; they go on from the same mark
            self._tell(incident_id, entries)
        with self.house.store.write() as conn:
            duties.put_setting(conn, mark(self.channel), {"upto": upto})
        return len(found)

    def _upto(self, conn: Connection) -> int:
        """The journal's number up to which the room was told."""
        kept = duties.get_setting(conn, mark(self.channel))
        if kept is not None:
            return int(kept["upto"])
        return chat.first_after(conn, self.house.time.now() - LOOK_BACK)

    # ── one incident ──────────────────────────────────────────────────────────────────────────

    def _tell(self, incident_id: str, entries: Sequence[Happened]) -> None:
        """The incident's message as it stands now, then what is new of its story."""
        now = self.house.time.now()
        with self.house.store.write() as conn:
            room, told = self.channel.incidents, entries[0].seq - 1
            post = chat.place(conn, self.channel.id, incident_id, room, told, now)
            shown = chat.drawn(conn, incident_id, now, self.house.called)
        if shown is None:
            return
        post = self._cleared(post)
        post = self._shown(post, cards.card(shown, f"{self.house.public_url}/incidents/{incident_id}"))
        self._storied(post, [one for one in entries if one.line and one.seq > post.told])

    def _cleared(self, post: Row[Any]) -> Row[Any]:
        """A sending whose answer was lost: it arrived, or it did not. Raises while nobody can tell."""
        if not post.trying:
            return post
        event = names.STORY_EVENT if post.ts else names.INCIDENT_EVENT
        said, ts = self.channel.talk.find(
            post.place,
            event,
            lambda marks: marks.get("try") == post.trying,
            post.ts or "",
            post.last_ts or "",
        )
        if not ts and not said.ok and said.outcome is not Outcome.REFUSED:
            raise _trouble(said)
        return self._settled(post, ts)

    def _settled(self, post: Row[Any], ts: str) -> Row[Any]:
        """What was being sent stands at `ts`, or, where that is "", nowhere."""
        if not ts:
            return self._note(post, trying=None, trying_to=None)
        if post.ts is None:
            return self._note(post, trying=None, ts=ts, last_ts=ts, face=None)
        return self._note(post, trying=None, trying_to=None, last_ts=ts, told=post.trying_to or post.told)

    def _shown(self, post: Row[Any], card: Card) -> Row[Any]:
        """Post the message, or change it where it shows something else."""
        face = cards.face(card)
        if post.ts is None:
            post = self._post(post, card, names.INCIDENT_EVENT, None)
            return self._note(post, face=face)
        if post.face == face:
            return post
        said = self._say(self.channel.talk.update, channel=post.place, ts=post.ts, **card)
        if said.code in GONE:
            return self._shown(self._note(post, ts=None, last_ts=None, face=None), card)
        if not said.ok:
            raise _trouble(said)
        return self._note(post, face=face)

    def _storied(self, post: Row[Any], new: Sequence[Happened]) -> None:
        """Replies of whole lines, each as full as Slack lets it be."""
        start = 0
        for size in cards.packed([one.line for one in new]):
            told, start = new[start : start + size], start + size
            reply = cards.story([one.line for one in told]) | {"thread_ts": post.ts}
            post = self._post(post, reply, names.STORY_EVENT, told[-1].seq)

    def _post(self, post: Row[Any], message: Card, event: str, reach: int | None) -> Row[Any]:
        """Write down what is tried, send it with that mark, write down where it stands."""
        tried = self._note(post, trying=uuid4().hex, trying_to=reach)
        marks = {"incident_id": post.incident_id, "try": tried.trying}
        metadata = {"event_type": event, "event_payload": marks}
        said = self._say(self.channel.talk.post, channel=post.place, metadata=metadata, **message)
        if said.outcome is Outcome.UNKNOWN:
            raise _trouble(said)  # the mark stays: the next round asks Slack
        tried = self._settled(tried, said.ts if said.ok else "")
        if said.code in GONE:
            self._note(tried, ts=None, last_ts=None, face=None)
        if not said.ok:
            raise _trouble(said)
        return tried

    def _say(self, call: Callable[..., Said], **message: Any) -> Said:
        """One call, a second after the last; what Slack finds too much is said in plain text."""
        self.pause(max(0.0, self.said_at + self.gap_s - time.monotonic()))
        said = call(**message)
        self.said_at = time.monotonic()
        if said.code in TOO_MUCH:
            return call(**{name: value for name, value in message.items() if name != "blocks"})
        return said

    def _note(self, post: Row[Any], **change: Any) -> Row[Any]:
        with self.house.store.write() as conn:
            chat.note(conn, post.way, post.incident_id, self.house.time.now(), **change)
            found = chat.post_of(conn, post.way, post.incident_id)
        assert found is not None
        return found


def _trouble(said: Said) -> ConnectorError:
    if said.outcome is Outcome.REFUSED:
        return Refused(said.reason)
    return Unreachable(said.reason, said.retry_after)


def _by_incident(found: Sequence[Happened]) -> list[tuple[str, list[Happened]]]:
    groups: dict[str, list[Happened]] = {}
    for one in found:
        groups.setdefault(one.incident_id, []).append(one)
    return list(groups.items())
