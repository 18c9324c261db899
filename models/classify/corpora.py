"""The labelled sets that classifiers learn from, in one shape.

Sets are read where they lie and never copied. The six emotions of the sentiment sets map to three
by `MOODS` (the model card tells why); surprise says neither good nor bad and is left out.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.core.text import canonical, fingerprint

MOODS = {
    "angry": "neg", "anger": "neg", "sad": "neg", "sadness": "neg", "fear": "neg", "disgust": "neg",
    "happy": "pos", "happiness": "pos", "optimism": "pos", "gratitude": "pos", "like": "pos",
    "neutral": "neu", "0": "neg", "1": "pos", "neg": "neg", "neu": "neu", "pos": "pos",
}  # fmt: skip
EMERGENCY = "senti_smp_virus_train_eval"
ORDINARY = "senti_smp_usual_eval"
MOOD_SETS = (EMERGENCY, ORDINARY, "senti_weibo2018_train", "senti_cluemotion_valid", "senti_covid7_dedup")
# the field is emergencies; sets of other labels and moods help little and blur the neutral (measured)
_WEIGHTS = {EMERGENCY: 1.0, ORDINARY: 1.0}
_OTHER_WEIGHT = 0.08
NEWS = "duee1_dev"
_NO_KIND_WEIGHT = 0.004  # some do hold an opinion; more weight, and our own sentences lose (measured)
_JOINED_WEIGHT = 0.5  # two sentences that stand there already, in a frame
KINDS = Path(__file__).parent / "kinds" / "kinds.jsonl"
_CORRECTION_WEIGHT = 3.0  # an officer's word counts more than a crowd's label


class CorpusError(Exception):
    """A set is missing or a row cannot be read; the words name the file and the line."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled text. Samples of one `group` are copies and must stay on one side of a split."""

    text: str
    label: str
    source: str
    group: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Corpora:
    topic: tuple[Sample, ...]
    mood: tuple[Sample, ...]
    rumour: tuple[Sample, ...]
    kind: tuple[Sample, ...] = ()


def read(data_dir: Path, corrections: Path | None = None) -> Corpora:
    """All sets of the data folder, with officers' corrections at the end. Raises CorpusError."""
    fixes = list(_lines(corrections)) if corrections else []
    return Corpora(
        (*topics(data_dir), *_fixes(fixes, "topic")),
        (*moods(data_dir), *_fixes(fixes, "sentiment")),
        (*rumours(data_dir), *_fixes(fixes, "rumour")),
        (*kinds(), *no_kinds(data_dir), *_fixes(fixes, "kind")),
    )


def topics(data_dir: Path) -> Iterator[Sample]:
    """Segmented messages (stop words gone) and raw ones, which are written as they came."""
    for row in rows_of(data_dir, "topic_segmented_8283"):
        yield sample(row["words"].replace(" ", ""), row["label"], "topic_segmented_8283")
    for row in rows_of(data_dir, "topic_raw"):
        yield sample(f"{row['title']}\n{row['body']}", row["label"], "topic_raw")


def moods(data_dir: Path) -> Iterator[Sample]:
    for name in MOOD_SETS:
        weight = _WEIGHTS.get(name, _OTHER_WEIGHT)
        for row in rows_of(data_dir, name):
            label = MOODS.get(str(row["label"]))
            if label:
                yield replace(sample(row["text"], label, name), weight=weight)


def rumours(data_dir: Path) -> Iterator[Sample]:
    for row in rows_of(data_dir, "rumor_ced"):
        yield sample(row["text"], str(row["label"]), "rumor_ced")


def kinds() -> Iterator[Sample]:
    """Our own sentences (kinds/DATASHEET.md). A group is a subject: what is asked about water must be
    told from what is asked about schools by its form, not by its subject."""
    for row in _lines(KINDS):
        weight = 1.0 if row["form"] == "written" else _JOINED_WEIGHT
        yield Sample(canonical(row["text"]), row["kind"], "kinds", row["subject"], weight)


def no_kinds(data_dir: Path) -> Iterator[Sample]:
    """What people post and what papers print on any day: far more varied than any we could think up.
    News of disasters are left out, since they may well be an opinion's matter."""
    for row in rows_of(data_dir, ORDINARY):
        yield replace(sample(row["text"], "none", ORDINARY), weight=_NO_KIND_WEIGHT)
    for row in rows_of(data_dir, NEWS):
        if not any(event["event_type"].startswith("灾害/意外") for event in row["event_list"]):
            yield replace(sample(row["text"], "none", NEWS), weight=_NO_KIND_WEIGHT)


def sample(text: str, label: str, source: str) -> Sample:
    return Sample(canonical(text), label, source, fingerprint(text))


def rows_of(data_dir: Path, name: str) -> Iterator[dict[str, Any]]:
    yield from _lines(data_dir / f"{name}.jsonl.gz")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_content(path).split(b"\n"), 1):
        try:
            if line.strip():
                yield json.loads(line)
        except ValueError as error:
            raise CorpusError(f"{path}:{number}: not JSON ({error})") from error


def _content(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        way_out = "point --data at the folder with the labelled sets"
        raise CorpusError(f"{path}: {error}; {way_out}") from error


def _fixes(rows: list[dict[str, Any]], task: str) -> Iterator[Sample]:
    """Corrections: {"text": …, "topic"?, "sentiment"?, "rumour"?, "kind"?}, one per line."""
    for row in rows:
        if task in row and row.get("text"):
            fixed = sample(str(row["text"]), str(row[task]), "corrections")
            yield replace(fixed, weight=_CORRECTION_WEIGHT)
