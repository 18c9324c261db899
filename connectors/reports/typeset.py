"""typst: a source and its inputs become a PDF, a drawing becomes a bitmap. Nothing is fetched from anywhere.

A Chinese font must be on the machine or in the site's folder of templates; without one every character would
be an empty box, so that we refuse instead.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import typst

from connectors.reports.paper import ReportError

FACES: Mapping[str, tuple[str, ...]] = {
    "song": (
        "方正小标宋简体",
        "FZXiaoBiaoSong-B05S",
        "FandolSong",
        "Noto Serif CJK SC",
        "Source Han Serif SC",
    ),
    "fang": ("仿宋_GB2312", "FangSong_GB2312", "FangSong", "仿宋", "FandolFang R", "FandolFang"),
    "hei": ("SimHei", "黑体", "FandolHei", "Noto Sans CJK SC", "Source Han Sans SC"),
    "kai": ("楷体_GB2312", "KaiTi_GB2312", "KaiTi", "楷体", "FandolKai"),
}
"""The faces of the standard, best first; where one is missing the next takes its place."""
LAST = (
    "Noto Serif CJK SC", "Source Han Serif SC", "FandolSong", "SimSun", "宋体", "Noto Sans CJK SC",
    "Source Han Sans SC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback",
)  # fmt: skip
"""What stands in for any of them; one of these or of the above must be there."""
_PICTURE = (
    b"#set page(width: auto, height: auto, margin: 0pt)\n"
    b'#image(bytes(sys.inputs.svg), format: "svg", width: 442pt)'
)


def faces(folder: Path | None = None) -> dict[str, list[str]]:
    """For each of `song fang hei kai` the families to be tried, only such as are there.

    Raises ReportError when no Chinese font is found.
    """
    return chosen(_fonts(folder).families())


def chosen(families: Iterable[str]) -> dict[str, list[str]]:
    """Of the families that there are, those to be tried for each role. Raises ReportError."""
    there = {family.casefold() for family in families}
    found = {
        role: [name for name in dict.fromkeys((*names, *LAST)) if name.casefold() in there]
        for role, names in FACES.items()
    }
    if not all(found.values()):
        raise ReportError(
            "这台机器上没有中文字体，PDF 和图会全是空框；请安装 fonts-noto-cjk，"
            "或把字体文件放进 site.yaml 中 reports: {templates: 目录} 的目录"
        )
    return found


@lru_cache(maxsize=4)
def _fonts(folder: Path | None) -> typst.Fonts:
    return typst.Fonts(font_paths=[str(folder)] if folder else [])


def pdf(template: Path, inputs: Mapping[str, str], made_at: datetime, folder: Path | None = None) -> bytes:
    """The document of a typst template, which reads nothing outside its own folder.

    Raises ReportError with the place of a mistake in the template.
    """
    with _said():
        return typst.compile(
            template,
            root=template.parent,
            font_paths=_fonts(folder),
            format="pdf",
            sys_inputs=dict(inputs),
            timestamp=made_at.replace(microsecond=0),
        )


def png(svg: str, dots: int) -> bytes:
    """A drawing as a bitmap, 156 mm wide at `dots` per inch."""
    faces()
    with _said():
        return typst.compile(
            _PICTURE, font_paths=_fonts(None), format="png", ppi=dots, sys_inputs={"svg": svg}
        )


@contextmanager
def _said() -> Iterator[None]:
    """typst's refusals in our words; a font of the standard that is not there is no news."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except RuntimeError as error:
            raise ReportError(
                f"排版没有完成: {str(error).strip()[:300]}；请检查 PDF 模板，或先移走站点自己的模板"
            ) from None
