"""The shipped weights: numbers in one `.npz`, never a pickle, with a version that is their hash."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from models.classify.bayes import Bayes
from models.classify.features import TOKENS, WIDTH, Floats, pair_bucket
from models.classify.linear import Head

NAME = "judge.npz"
PREVIOUS = "judge.previous.npz"
SHIPPED = Path(__file__).parent / "weights"
HEADS = ("topic", "sentiment", "rumour", "kind")


class WeightsError(Exception):
    """The weights cannot be used; the words say which file and what to do."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Everything `judge` needs.

    `temperature` and `kind_warmth` turn scores of topic and kind into probabilities; `blend` (5 × 3)
    turns the three sentiment scores, Bayes' damped log-odds and a 1 into three calibrated scores;
    below `doubt` a topic's margin is unsure; `caution` leans negative against positive, in log-odds;
    `unseen` is the usual share of features no training text had, for `drift`; `meta` is for people.
    """

    idf: Floats
    heads: dict[str, Head]
    bayes: Bayes
    temperature: float
    blend: Floats
    meta: dict[str, Any]
    kind_warmth: float = 1.0
    doubt: float = 0.0
    caution: float = 0.0
    unseen: float = 0.0
    version: str = "unsaved"

    def rarity(self) -> Callable[[str], float]:
        """Character pair → its idf in the training texts: the weight of the language for `cluster`.

        A text has few pairs that others have not: what was looked up is kept, up to a bound.
        """
        idf = self.idf
        return lru_cache(maxsize=1 << 15)(lambda pair: float(idf[pair_bucket(pair)]))


def save(weights: Weights, folder: Path) -> Path:
    """Write `judge.npz`; the same weights give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {
        "idf": weights.idf.astype(np.float16),
        "bayes": weights.bayes.counts.astype(np.uint32),
        "temperature": np.float32(weights.temperature),
        "blend": weights.blend.astype(np.float32),
        "kind_warmth": np.float32(weights.kind_warmth),
        "doubt": np.float32(weights.doubt),
        "caution": np.float32(weights.caution),
        "unseen": np.float32(weights.unseen),
        "meta": np.array(json.dumps(weights.meta, ensure_ascii=False, sort_keys=True)),
    }
    for name, head in weights.heads.items():
        arrays[f"{name}_weights"] = head.weights.astype(np.float16)
        arrays[f"{name}_bias"] = head.bias.astype(np.float32)
        arrays[f"{name}_labels"] = np.array(head.labels)
    path = folder / NAME
    np.savez_compressed(path, allow_pickle=False, **arrays)
    return path


def keep_previous(folder: Path) -> None:
    """Set today's weights aside before others take their place; nothing where there are none."""
    if (folder / NAME).exists():
        shutil.copyfile(folder / NAME, folder / PREVIOUS)


def roll_back(folder: Path | None = None) -> Weights:
    """The weights set aside and today's change places, so that a second call undoes the first.

    Raises WeightsError when none are set aside or they cannot be read.
    """
    place = folder or SHIPPED
    if not (place / PREVIOUS).exists():
        raise WeightsError(f"{place / PREVIOUS}: none are set aside; nothing was changed")
    _read_file(place / PREVIOUS)  # never put in what cannot be used
    spare = place / f"{NAME}.swap"
    (place / PREVIOUS).rename(spare)
    (place / NAME).rename(place / PREVIOUS)
    spare.rename(place / NAME)
    return load(place)


def load(folder: Path | None = None) -> Weights:
    """Read `judge.npz` of a folder (default: the shipped one). Raises WeightsError."""
    return _read_file((folder or SHIPPED) / NAME)


def _read_file(path: Path) -> Weights:
    try:
        content = path.read_bytes()
        with np.load(BytesIO(content), allow_pickle=False) as file:
            return _read(file, hashlib.sha256(content).hexdigest()[:12])
    except (OSError, KeyError, ValueError, EOFError, BadZipFile, AttributeError) as error:
        raise WeightsError(f"{path}: {error}; build it anew with `huiying train`") from error


def _read(file: Any, version: str) -> Weights:
    weights = Weights(
        idf=file["idf"].astype(np.float32),
        heads={name: _head(file, name) for name in HEADS},
        bayes=Bayes(file["bayes"].astype(np.int64)),
        temperature=float(file["temperature"]),
        blend=file["blend"],
        meta=json.loads(str(file["meta"])),
        kind_warmth=float(file["kind_warmth"]),
        doubt=float(file["doubt"]),
        caution=float(file["caution"]),
        unseen=float(file["unseen"]),
        version=version,
    )
    if weights.idf.shape != (WIDTH,) or weights.bayes.counts.shape != (2, TOKENS):
        raise ValueError(f"made for other feature widths than {WIDTH} and {TOKENS}")
    return weights


def _head(file: Any, name: str) -> Head:
    labels = tuple(str(label) for label in file[f"{name}_labels"])
    head = Head(labels, file[f"{name}_weights"], file[f"{name}_bias"])
    if head.weights.shape != (WIDTH, len(head.bias)):
        raise ValueError(f"{name} has shape {head.weights.shape}")
    return head
