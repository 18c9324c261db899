"""Photos as cameras make them: drawn by the browser, with a place written into them."""

from __future__ import annotations

import re

from playwright.sync_api import Page

PLACE = b"GPS 26.6470N 106.6302E huiying-test-place"
_DRAW = """async ([w, h]) => { const c = new OffscreenCanvas(w, h), g = c.getContext("2d");
  for (let n = 0; n < 400; n++) {
    g.fillStyle = `hsl(${n * 37 % 360} 80% 50%)`;
    g.fillRect(n * 97 % w, n * 61 % h, 300, 200);
  }
  const b = await c.convertToBlob({ type: "image/jpeg", quality: 0.95 });
  return [...new Uint8Array(await b.arrayBuffer())]; }"""


def drawn(page: Page, width: int, height: int) -> bytes:
    """A JPEG of many colours, with an Exif segment that names a place."""
    jpeg = bytes(page.evaluate(_DRAW, [width, height]))
    exif = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08" + PLACE
    return jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]


def size_of(jpeg: bytes) -> tuple[int, int]:
    """Width and height, by the frame header."""
    found = re.search(rb"\xff[\xc0\xc2]..\x08(..)(..)", jpeg, re.DOTALL)
    assert found is not None
    return int.from_bytes(found[2], "big"), int.from_bytes(found[1], "big")
