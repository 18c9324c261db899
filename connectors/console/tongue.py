"""The language of a page: Chinese as it is written in the templates, or English by the catalogue.

A template writes `{{ _("签收") }}`; `locales/en.json` has the English for it. What people and the outside
wrote, and the reasons in the journal, stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Final

COOKIE: Final = "huiying_lang"
LANGUAGES: Final = {"zh": "中文", "en": "English"}
LANGUAGE: ContextVar[str] = ContextVar("language", default="zh")


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Chinese → the words of `language`; empty for Chinese itself."""
    file = Path(__file__).parent / "locales" / f"{language}.json"
    words: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return words


def say(text: str | None, about: str = "", **values: object) -> str:
    """`text` in the page's language, with `{name}` filled from `values`; untranslated as it is; "" for
    nothing (a field that is empty). `about`: which of two meanings, "回应|name" in the catalogue."""
    known = catalogue(LANGUAGE.get())
    if text is None:
        return ""
    words = known.get(f"{text}|{about}", known.get(text, text))
    return words.format(**values) if values else words


SPOKEN: Final = (
    "天", "小时", "分", "秒", "已超", "剩余", "知道了", "没有送出：网络不通或服务没有应答。请稍后再按一次。",
)  # fmt: skip
"""What the scripts say: their words come with the page, in its language."""


def js_words() -> str:
    """Chinese → the page's language for the scripts, as JSON; empty while the page is Chinese."""
    known = catalogue(LANGUAGE.get())
    return json.dumps({text: known[text] for text in SPOKEN if text in known}, ensure_ascii=False)


def chosen(cookie: str) -> str:
    """The language that a cookie names; Chinese for anything else."""
    return cookie if cookie in LANGUAGES else "zh"
