"""A message read again where it stands, byte for byte."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any

from kafka import KafkaConsumer  # type: ignore[import-untyped]
from kafka.structs import TopicPartition  # type: ignore[import-untyped]

from connectors.broker.link import common, opened, translated
from connectors.broker.settings import BrokerSettings

LOOKS, LOOK_S = 5, 1.0
ANSWER_MS = 10_000
_PLACE = re.compile(r"(?P<topic>[\w.-]+)/(?P<partition>\d+)@(?P<offset>\d+)", re.ASCII)


def place_of(text: str) -> tuple[str, int, int] | None:
    """topic/partition@offset → its parts; None for a place elsewhere (a file's line)."""
    found = _PLACE.fullmatch(text)
    return (found["topic"], int(found["partition"]), int(found["offset"])) if found else None


def original(settings: BrokerSettings, places: list[str]) -> dict[str, bytes]:
    """place → the message's bytes, for those that the broker still keeps. Raises as a consumer does."""
    found: dict[str, bytes] = {}
    wanted = {place: parts for place in places if (parts := place_of(place))}
    if not wanted:
        return found
    with translated(settings):
        reader = opened(KafkaConsumer, **_alone(settings))
        with closing(reader):
            kept = _kept(reader, {(topic, partition) for topic, partition, _ in wanted.values()})
            for place, (topic, partition, offset) in wanted.items():
                if offset not in kept.get((topic, partition), ()):
                    continue  # expired, or of a topic that is gone: waiting would bring nothing
                value = _at(reader, TopicPartition(topic, partition), offset)
                found |= {} if value is None else {place: value}
    return found


def _kept(reader: Any, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], range]:
    """The offsets that the broker still has of each partition; of one that it does not know, nothing."""
    there = {topic: reader.partitions_for_topic(topic) or () for topic, _ in wanted}
    parts = [TopicPartition(topic, number) for topic, number in sorted(wanted) if number in there[topic]]
    if not parts:
        return {}
    first, last = reader.beginning_offsets(parts, ANSWER_MS), reader.end_offsets(parts, ANSWER_MS)
    return {(part.topic, part.partition): range(first[part], last[part]) for part in parts}


def _alone(settings: BrokerSettings) -> dict[str, Any]:
    """A reader outside every group: it takes no partition from anybody."""
    return {
        "group_id": None,
        "enable_auto_commit": False,
        "auto_offset_reset": "latest",
        "allow_auto_create_topics": False,
        "metrics_enabled": False,
        **common(settings),
    }


def _at(reader: Any, part: Any, offset: int) -> bytes | None:
    reader.assign([part])
    reader.seek(part, offset)
    for _ in range(LOOKS):
        for record in reader.poll(timeout_ms=int(LOOK_S * 1000), max_records=1).get(part, ()):
            return bytes(record.value or b"") if record.offset == offset else None
    return None
