"""Every number traces to a fact, every fact of the study is accounted for, and the page says so."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from playbooks.library_page import coverage, library_page
from playbooks.loader import load
from playbooks.schema import PlaybookSource, ProfileSource
from playbooks.shelf import PROFILES, SHIPPED, playbook_files
from playbooks.trace import bases, facts
from support.cli import Cli

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "预案库.md"
FILES = [*playbook_files(SHIPPED), *sorted(PROFILES.glob("*.yaml"))]


def test_the_page_of_the_library_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == library_page(), "run: huiying library --page docs/预案库.md"


def test_the_page_names_every_playbook_clock_and_profile() -> None:
    text = library_page()
    for path in FILES:
        data = load(path).data
        assert data["id"] in text
        clocks = data.get("clocks") or []
        assert all(f"`{clock['id']}`" in text for clock in clocks if isinstance(clock, dict))


def test_every_fact_with_evidence_is_cited_built_in_or_left_out_with_its_reason() -> None:
    found = coverage()
    wanted = [fact for fact, grade in facts().grades.items() if grade in ("A", "B")]
    told = Counter([*found.cited, *found.elsewhere, *found.without])
    assert sorted(told) == sorted(wanted)
    assert {fact: times for fact, times in told.items() if times > 1} == {}
    assert all(why for _, why in found.left_out)


def test_what_is_built_in_names_a_place_that_exists() -> None:
    assert all((ROOT / where).exists() for _, where, _ in coverage().program)


def test_nothing_unchecked_is_cited_and_single_sources_only_by_examples() -> None:
    for path in FILES:
        document = load(path)
        grades = {facts().grades[str(basis["fact"])] for _, basis in bases(document.data)}
        assert "M" not in grades, path.name
        assert "C" not in grades or document.data.get("example") is True, path.name


def test_a_fact_is_cited_under_one_document_in_every_file() -> None:
    """The same fact under two documents is a slip of the pen in one of them."""
    named: dict[str, set[str]] = {}
    for path in FILES:
        for _, basis in bases(load(path).data):
            named.setdefault(str(basis["fact"]), set()).add(str(basis["doc"]))
    assert {fact: docs for fact, docs in named.items() if len(docs) > 1} == {}


def test_the_command_counts_and_writes_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    answer = Cli(tmp_path).json("library", "--page", str(page))
    assert answer["playbooks"]["general_opinion"] == ["general_response"]
    assert sum(answer["facts"].values()) == 233
    assert page.read_text(encoding="utf-8") == library_page()


# ── the language is whole ─────────────────────────────────────────────────────────────────────


def models(model: type[BaseModel], seen: set[type[BaseModel]] | None = None) -> set[type[BaseModel]]:
    """A model and all that its fields hold."""
    seen = seen if seen is not None else set()
    if model not in seen:
        seen.add(model)
        for field in model.model_fields.values():
            for inner in within(field.annotation):
                models(inner, seen)
    return seen


def within(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a field's type names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from within(each)


KEYS = sorted(
    {
        (m.__name__, key)
        for root in (PlaybookSource, ProfileSource)
        for m in models(root)
        for key in m.model_fields
    }
)


@pytest.fixture(scope="module")
def written() -> str:
    """All YAML of the library and of the tests beside this one."""
    here = Path(__file__)
    tests = [path for path in here.parent.glob("*.py") if path != here]
    return "\n".join(path.read_text(encoding="utf-8") for path in [*SHIPPED.glob("*.yaml"), *FILES, *tests])


@pytest.mark.parametrize(("model", "key"), KEYS, ids=lambda part: str(part))
def test_every_key_of_the_language_is_used_by_a_playbook_or_a_test(
    model: str, key: str, written: str
) -> None:
    assert re.search(rf"(?m)(?:^|[{{,\s\"]){re.escape(key)}:(?:\s|$)", written), f"{model}.{key}"


def test_every_key_says_what_it_is_in_chinese() -> None:
    for root in (PlaybookSource, ProfileSource):
        for model in models(root):
            assert re.search("[一-鿿]", model.__doc__ or ""), model.__name__
            for key, field in model.model_fields.items():
                assert re.search("[一-鿿]", field.description or ""), f"{model.__name__}.{key}"
