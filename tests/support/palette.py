"""A photograph of a page as a PNG of at most 256 colours: a quarter of the bytes, and the eye sees no difference."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page
from sklearn.cluster import KMeans

MOST = 256
PIXELS = """async (encoded) => {
  const image = new Image(); image.src = 'data:image/png;base64,' + encoded; await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height), pen = canvas.getContext('2d');
  pen.drawImage(image, 0, 0);
  const bytes = pen.getImageData(0, 0, image.width, image.height).data;
  let said = ''; for (let at = 0; at < bytes.length; at += 32768) said += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return [image.width, image.height, btoa(said)];
}"""  # noqa: E501  JavaScript is no better in shorter lines
Colours = NDArray[np.uint8]


def lighter(page: Page, png: bytes) -> bytes:
    """The same picture with few colours. `page` decodes it; any page will do."""
    wide, high, pixels = page.evaluate(PIXELS, base64.b64encode(png).decode())
    rgba = np.frombuffer(base64.b64decode(pixels), dtype=np.uint8).reshape(-1, 4)
    colours, which, counts = np.unique(rgba[:, :3], axis=0, return_inverse=True, return_counts=True)
    few, mapped = _fewer(colours, counts)
    return _indexed(wide, high, few, mapped[which.reshape(-1)])


def _fewer(colours: Colours, counts: NDArray[np.int64]) -> tuple[Colours, Colours]:
    """At most 256 colours, and which of them stands for each; the same for the same picture."""
    if len(colours) <= MOST:
        return colours, np.arange(len(colours), dtype=np.uint8)
    made = KMeans(MOST, n_init=1, max_iter=12, random_state=0).fit(colours, sample_weight=np.sqrt(counts))
    return np.rint(made.cluster_centers_).astype(np.uint8), made.labels_.astype(np.uint8)


def _indexed(wide: int, high: int, colours: Colours, which: Colours) -> bytes:
    rows = which.astype(np.uint8).reshape(high, wide)
    unfiltered = np.hstack([np.zeros((high, 1), dtype=np.uint8), rows]).tobytes()
    head = struct.pack(">IIBBBBB", wide, high, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", head),
        (b"PLTE", colours.tobytes()),
        (b"IDAT", zlib.compress(unfiltered, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
