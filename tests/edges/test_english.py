"""The English of the console: every fixed word of every page has it, and nothing fixed is left in Chinese alone."""

from __future__ import annotations

import enum
import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import nodes
from starlette.testclient import TestClient

import models.core
from connectors.console import errors, tongue, views
from connectors.console.desk import ACTS

TEMPLATES = sorted(
    str(f.relative_to(views.HERE / "templates")) for f in (views.HERE / "templates").rglob("*.html")
)
HAN = re.compile(r"[\u3400-\u9fff\u3001-\u301f\uff01-\uff5e]")
PLACE = re.compile(r"\{(\w+)\}")
OUTSIDE = {"docs.html"}
"""The API's own page: its words are the API's, which speaks Chinese."""
ENGLISH = tongue.catalogue("en")


def parsed(name: str) -> nodes.Template:
    env = views.environment()
    return env.parse((views.HERE / "templates" / name).read_text(encoding="utf-8"), name)


def marked(tree: nodes.Template) -> Iterator[str]:
    """What a template hands to `_`."""
    for call in tree.find_all(nodes.Call):
        if (
            isinstance(call.node, nodes.Name)
            and call.node.name == "_"
            and isinstance(call.args[0], nodes.Const)
        ):
            about = [
                kw.value.value
                for kw in call.kwargs
                if kw.key == "about" and isinstance(kw.value, nodes.Const)
            ]
            yield "|".join([str(call.args[0].value), *map(str, about)])


def bare(tree: nodes.Template) -> Iterator[str]:
    """Chinese that stands in the page itself, or in a text that nobody translates."""
    for data in tree.find_all(nodes.TemplateData):
        if HAN.search(data.data):
            yield data.data.strip()
    said = {id(arg) for call in tree.find_all(nodes.Call) for arg in call.args if _says(call)}
    for const in tree.find_all(nodes.Const):
        if isinstance(const.value, str) and HAN.search(const.value) and id(const) not in said:
            yield const.value


def _says(call: nodes.Call) -> bool:
    return isinstance(call.node, nodes.Name) and call.node.name == "_"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_says_nothing_in_chinese_alone(name: str) -> None:
    left = [] if name in OUTSIDE else list(bare(parsed(name)))
    assert left == [], f"mark these with _(): {left}"


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_word_that_a_template_marks_has_its_english(name: str) -> None:
    lacking = [text for text in marked(parsed(name)) if HAN.search(text) and text not in ENGLISH]
    assert lacking == [], f"add to locales/en.json: {json.dumps(lacking, ensure_ascii=False)}"


def test_the_english_fills_in_the_same_places_as_the_chinese() -> None:
    wrong = [text for text, said in ENGLISH.items() if set(PLACE.findall(text)) != set(PLACE.findall(said))]
    assert wrong == []


def test_no_english_is_left_in_chinese() -> None:
    names = re.compile(
        r"国办发|中办发|黔财办|事实|措施|结果|舆-"
    )  # documents, and headings that a text must have
    left = [
        said
        for said in ENGLISH.values()
        if HAN.search(names.sub("", said).replace("〔", "").replace("〕", "").replace("号", ""))
    ]
    assert left == []


def words_of_the_field() -> Iterator[str]:
    for module in pkgutil.iter_modules(models.core.__path__):
        found = importlib.import_module(f"models.core.{module.name}")
        for _, kind in inspect.getmembers(found, inspect.isclass):
            if issubclass(kind, enum.Enum) and hasattr(kind, "zh") and kind.__module__ == found.__name__:
                for member in kind:
                    yield from (
                        str(getattr(member, name)) for name in ("zh", "colour") if hasattr(member, name)
                    )


def test_every_word_of_the_field_has_its_english() -> None:
    lacking = sorted({word for word in words_of_the_field() if HAN.search(word) and word not in ENGLISH})
    assert lacking == [], f"add to locales/en.json: {json.dumps(lacking, ensure_ascii=False)}"


def test_what_the_server_says_of_an_act_and_of_a_refusal_has_its_english() -> None:
    said = (
        [f"已{name}" for name in ACTS.values()]
        + list(errors._TITLES.values())
        + list(errors._WAY_OUT.values())
    )
    assert [text for text in said if text not in ENGLISH] == []


def scripts() -> list[Path]:
    return sorted((views.HERE / "static").glob("*.js"))


@pytest.mark.parametrize("script", scripts(), ids=lambda path: path.name)
def test_a_script_says_only_words_that_come_with_the_page(script: Path) -> None:
    text = re.sub(r"(?m)(?<!:)//.*$", "", script.read_text(encoding="utf-8"))
    for literal in re.findall(r'"([^"\n]*)"', text):
        if HAN.search(literal) and literal != "日一二三四五六":
            assert literal in tongue.SPOKEN and literal in ENGLISH, literal


def test_a_person_switches_the_language_of_this_device_and_back(client: TestClient) -> None:
    assert '<html lang="zh-CN"' in client.get("/mine").text
    answer = client.post("/language", data={"lang": "en", "back": "/mine"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/mine")
    page = client.get("/mine").text
    assert '<html lang="en"' in page and "Skip to content" in page and "跳到内容" not in page
    client.post("/language", data={"lang": "zh", "back": "/"})
    assert "跳到内容" in client.get("/mine").text


@pytest.mark.parametrize("lang", ["", "fr", "../en", "EN", "zh"])
def test_a_language_that_is_not_there_is_chinese(client: TestClient, lang: str) -> None:
    client.post("/language", data={"lang": lang})
    assert '<html lang="zh-CN"' in client.get("/").text


def test_the_language_switch_leads_to_no_other_site(client: TestClient) -> None:
    answer = client.post("/language", data={"lang": "en", "back": "//evil.example/"}, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_a_fault_is_told_in_the_persons_language_too(client: TestClient) -> None:
    client.cookies.set(tongue.COOKIE, "en")
    page = client.get("/nothing-here")
    assert (page.status_code, "No such page" in page.text, '<html lang="en"' in page.text) == (
        404,
        True,
        True,
    )
