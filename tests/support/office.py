"""LibreOffice and poppler, as people would open what we wrote: convert, read the words, draw the pages."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

from support.missing import missing

ALWAYS = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">'
    '<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" '
    'oor:op="fuse"><value>0</value></prop></item></oor:items>'
)
"""LibreOffice's own setting: compute every formula anew, whatever the file says it comes to."""


@cache
def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        missing(f"没有 {name}；apt-get install libreoffice-writer-nogui libreoffice-calc-nogui poppler-utils")
    return found


def converted(path: Path, form: str) -> Path:
    """`path` opened by LibreOffice and saved as `form` (pdf, xlsx) beside it, in a folder of its own."""
    profile, made = path.parent / "profile", path.parent / f"as-{form}"
    settings = profile / "user" / "registrymodifications.xcu"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(ALWAYS, encoding="utf-8")
    command = (
        program("soffice"), f"-env:UserInstallation=file://{profile}", "--headless", "--norestore",
        "--convert-to", form, "--outdir", str(made), str(path),
    )  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    return made / f"{path.stem}.{form}"


def words(pdf: Path) -> str:
    """The words of a PDF in the order of their writing, cell by cell, without the breaks of lines."""
    done = subprocess.run(
        (program("pdftotext"), "-raw", str(pdf), "-"), check=True, capture_output=True, timeout=60
    )
    return "".join(done.stdout.decode().split())


def drawn(pdf: Path, dots: int = 40) -> list[bytes]:
    """Each page as grey pixels (PGM)."""
    folder = pdf.parent / f"{pdf.stem}-pages"
    folder.mkdir(exist_ok=True)
    command = (program("pdftoppm"), "-gray", "-r", str(dots), str(pdf), str(folder / "page"))
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return [page.read_bytes() for page in sorted(folder.glob("page*.pgm"))]


def ink(page: bytes) -> float:
    """The share of a page that is not white, 0..1; one line of words is 0.0005."""
    _, _, pixels = page.partition(b"255\n")
    return sum(pixel < 200 for pixel in pixels) / len(pixels)
