"""The incident's page over a whole site: its signals page by page with their words marked, labels corrected and
learned from, signals and acts on one line of time, what was alike before; on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connectors.console.desk import Refusal, Unknown
from flows.collecting.intake import store as put
from flows.triage import triage
from models.core.signals import Batch, RawSignal
from models.core.vocabulary import Medium
from models.ledger import corrections, judgements, story
from support.river_site import Site, at

TEXT = "江东化工园区储罐爆炸，已造成5人死亡，20余人受伤，现场仍有人员被困"
EXTRA = ("现场浓烟滚滚", "消防已到场", "家属在等消息", "附近学校停课", "周边居民转移", "化工园区封路")


def pour(site: Site, count: int = 6, medium: Medium = Medium.FORUM, every: int = 1) -> str:
    """Signals of one matter; the incident they open."""
    now = site.time.now()
    made = [
        RawSignal(
            "news", f"{medium}-{n}", medium, f"{TEXT}，{EXTRA[n % 6]}", f"第{n}条：{EXTRA[n % 6]}",
            published_at=now - timedelta(minutes=count - n // every), url=f"https://example.com/{n}", place="临江市",
        )
        for n in range(count)
    ]  # fmt: skip
    put(site.house, Batch(tuple(made)), "news")
    triage(site.house)
    return str(site.desk.board()["incidents"][0]["id"])


def shown(site: Site, incident: str, **params: str) -> dict[str, Any]:
    return site.desk.about.signals(incident, params)


# ── signals ───────────────────────────────────────────────────────────────────────────────────


def test_ten_thousand_signals_come_a_page_at_a_time_and_none_is_lost(site: Site) -> None:
    site.time.moment = at("02:00")
    incident = pour(site, 130)
    seen, below, pages = [], "", 0
    while True:
        page = shown(site, incident, **({"below": below} if below else {}))
        seen += [one["id"] for one in page["signals"]]
        pages += 1
        if page["below"] is None:
            break
        below = str(page["below"])
    assert (pages, len(seen), len(set(seen)), page["total"]) == (6, 130, 130, 130)
    assert seen == sorted(seen, reverse=True)


def test_signals_are_chosen_by_platform_mood_and_words(site: Site) -> None:
    site.time.moment = at("02:00")
    incident = pour(site)
    pour(site, 3, Medium.NEWS)
    assert shown(site, incident, medium="news")["total"] == 3
    assert {one["medium"] for one in shown(site, incident, medium="forum")["signals"]} == {"forum"}
    assert shown(site, incident, text="封路")["total"] == 1
    assert shown(site, incident, text="100%_")["total"] == 0
    assert shown(site, incident, text="封路")["all"] == 9
    assert {value: count for value, _, count in shown(site, incident)["choices"]["medium"]} == {
        "forum": 6,
        "news": 3,
    }
    for wrong in ({"medium": "radio"}, {"sentiment": "sad"}, {"below": "x"}):
        with pytest.raises(Refusal):
            shown(site, incident, **wrong)


def test_a_number_is_masked_before_the_words_are_cut(site: Site) -> None:
    site.time.moment = at("02:00")
    for most in (40, 80):  # where a title and a line of the story end
        body = (TEXT + "，请尽快救援" * 20)[: most - 8] + "13812345678，盼复"
        put(site.house, Batch((RawSignal("news", f"n-{most}", Medium.HOTLINE, "", body),)), "news")
        triage(site.house)
    board = site.desk.board()["incidents"]
    lines = [line for one in board for line in site.desk.about.story(one["id"], {"show": "signal"})["lines"]]
    assert len(lines) == 2
    assert "1381" not in str([one["title"] for one in board]) + str(lines)


def test_the_words_that_told_of_harm_are_marked_in_what_is_shown(site: Site) -> None:
    site.time.moment = at("02:00")
    (one, *_) = shown(site, pour(site, 1))["signals"]
    words = {one["title"][m["start"] : m["end"]]: m["why"] for m in one["marks"]["title"]}
    assert words["5人死亡"] == "死亡 5 人"
    assert words["20余人受伤"] == "受伤 20 人"


# ── labels ────────────────────────────────────────────────────────────────────────────────────


def test_a_corrected_label_counts_at_once_stands_beside_the_machines_and_is_learned_from(site: Site) -> None:
    site.time.moment = at("02:00")
    incident = pour(site)
    page = shown(site, incident)
    one = page["signals"][0]
    other = "pos" if one["sentiment"] != "pos" else "neu"
    done = site.desk.about.label(
        incident, {"label": "sentiment", "value": other, "signal": str(one["id"]), "reason": "读错了"}, "chen"
    )
    assert done["changed"] == 1
    (after,) = [row for row in shown(site, incident)["signals"] if row["id"] == one["id"]]
    assert after["sentiment"] == other
    (fixed,) = after["corrected"]
    assert (fixed["was"], fixed["now"], fixed["by"], fixed["reason"]) == (
        one["sentiment"],
        other,
        "陈值班",
        "读错了",
    )
    with site.house.store.read() as conn:
        (row,) = list(corrections.labels(conn))
    assert (row["sentiment"], row["machine"]) == (other, {"sentiment": one["sentiment"]})
    assert row["text"].startswith("江东化工园区")
    assert site.verified()


def test_what_is_corrected_back_is_no_correction(site: Site) -> None:
    site.time.moment = at("02:00")
    incident = pour(site, 2)
    one = shown(site, incident)["signals"][0]
    told = {"label": "rumour", "signal": str(one["id"])}
    first, second = ("no", "yes") if one["rumoured"] else ("yes", "no")
    site.desk.about.label(incident, told | {"value": first}, "chen")
    with site.house.store.read() as conn:
        (row,) = list(corrections.labels(conn))
    assert row["rumour"] == {"yes": "1", "no": "0"}[first]
    site.desk.about.label(incident, told | {"value": second}, "li")
    with site.house.store.read() as conn:
        assert list(corrections.labels(conn)) == []
    with pytest.raises(Refusal, match="不用再改"):
        site.desk.about.label(incident, told | {"value": second}, "li")


def test_the_topic_of_a_whole_incident_is_corrected_in_one_word(site: Site) -> None:
    site.time.moment = at("02:00")
    incident = pour(site)
    had = {one["topic"] for one in shown(site, incident)["signals"]}
    other = "卫生计生" if had != {"卫生计生"} else "环境保护"
    done = site.desk.about.label(incident, {"label": "topic", "value": other}, "chen")
    assert done["changed"] == sum(1 for one in range(6)) if other not in had else done["changed"] < 6
    assert {one["topic"] for one in shown(site, incident)["signals"]} == {other}
    assert site.verified()


def test_an_incidents_kind_is_corrected_without_touching_its_grade(site: Site) -> None:
    site.time.moment = at("02:00")
    incident = pour(site)
    before = site.desk.incident(incident)
    assert before is not None
    kind = "hardship" if before["kind"] != "hardship" else "erroneous"
    site.desk.about.label(incident, {"label": "kind", "value": kind}, "chen")
    after = site.desk.incident(incident)
    assert after is not None
    assert after["kind"] == kind
    assert (after["grade"], after["provisional"]) == (before["grade"], before["provisional"])
    with site.house.store.read() as conn:
        assert kind in {row["kind"] for row in judgements.corrected(conn)}
    assert site.verified()


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"label": "colour", "value": "red", "signal": "1"}, Refusal),
        ({"label": "sentiment", "value": "bad", "signal": "1"}, Refusal),
        ({"label": "sentiment", "value": "neg", "signal": "x"}, Refusal),
        ({"label": "sentiment", "value": "neg", "signal": "99999"}, Unknown),
        ({"label": "kind", "value": "nonsense"}, Refusal),
    ],
)
def test_a_label_that_cannot_be_is_refused_in_words(
    site: Site, params: dict[str, str], error: type[Exception]
) -> None:
    site.time.moment = at("02:00")
    incident = pour(site, 1)
    with pytest.raises(error):
        site.desk.about.label(incident, params, "chen")
    with pytest.raises(Unknown, match="值班表里没有"):
        site.desk.about.label(incident, {"label": "kind", "value": "hardship"}, "nobody")


# ── one line of time ──────────────────────────────────────────────────────────────────────────


def test_signals_and_acts_stand_on_one_line_and_every_page_goes_on_where_the_last_ended(site: Site) -> None:
    site.time.moment = at("02:00")
    incident = pour(site, 90, every=30)  # thirty at each moment: a page ends in the middle of one
    site.desk.act("ack", incident, {}, "chen")
    site.desk.act("update", incident, {"text": "明火已扑灭"}, "chen")
    lines, before = [], ""
    while True:
        view = site.desk.about.story(incident, {"before": before} if before else {})
        lines += view["lines"]
        if view["before"] is None:
            break
        before = view["before"]
    signals = [line["signal"] for line in lines if line["group"] == "signal" and "signal" in line]
    entries = [line["seq"] for line in lines if "seq" in line]
    assert (len(signals), len(set(signals))) == (90, 90)
    assert len(entries) == len(set(entries))
    assert [line["at"] for line in lines] == sorted((line["at"] for line in lines), reverse=True)
    assert {"acknowledged", "progress_noted", "incident_opened"} <= {line["kind"] for line in lines}


def test_the_line_is_filtered_by_what_people_ask(site: Site) -> None:
    site.time.moment = at("02:00")
    incident = pour(site)
    site.until("02:03")
    site.desk.act("ack", incident, {}, "chen")
    acts = site.desk.about.story(incident, {"show": "act"})
    assert {line["group"] for line in acts["lines"]} == {"act"}
    alerts = site.desk.about.story(incident, {"show": "alert"})
    assert "alert_accepted" in {line["kind"] for line in alerts["lines"]}
    everything = site.desk.about.story(incident, {})
    assert "alert_accepted" not in {line["kind"] for line in everything["lines"]}
    for wrong in ({"show": "nonsense"}, {"before": "yesterday"}, {"before": "2026-11-21~q1"}):
        with pytest.raises(Refusal):
            site.desk.about.story(incident, wrong)


def test_every_kind_of_entry_belongs_to_a_group_that_can_be_asked_for() -> None:
    from models.ledger.words import KINDS

    assert {story.group_of(kind) for kind in KINDS} <= set(story.GROUPS)


# ── why, who, how far, what was alike ─────────────────────────────────────────────────────────


def test_the_page_says_why_the_grade_by_whose_word_and_what_would_make_it_graver(site: Site) -> None:
    site.time.moment = at("02:00")
    incident = pour(site)
    why = site.desk.about.overview(incident)["grade_why"]
    assert why["confirmed"] is None
    (event,) = [part for part in why["parts"] if part["key"] == "event"]
    assert event["basis"]
    assert why["table"]["document"]
    assert any(
        row["reached"] and "5 人" in row["have"] for level in why["table"]["levels"] for row in level["rows"]
    )
    site.desk.act("grade", incident, {"grade": "II", "reason": "应急局核实"}, "li")
    why = site.desk.about.overview(incident)["grade_why"]
    assert (why["confirmed"]["by"], why["confirmed"]["reason"]) == ("李主任", "应急局核实")


def test_who_was_told_and_what_they_answered_is_seen_person_by_person(site: Site) -> None:
    site.time.moment = at("02:00")
    incident = pour(site)
    site.until("02:03")
    told = {one["person"]: one for one in site.desk.about.overview(incident)["told"]}
    assert told["chen"]["times"] >= 1
    assert told["chen"]["acked_at"] is None
    site.desk.act("ack", incident, {}, "chen")
    site.desk.act("ack", incident, {}, "zhao")
    told = {one["person"]: one for one in site.desk.about.overview(incident)["told"]}
    assert told["chen"]["acked_at"] is not None
    assert told["zhao"]["acked_at"] is not None


def test_the_picture_counts_every_signal_but_our_own(site: Site) -> None:
    site.time.moment = at("02:00")
    incident = pour(site)
    pour(site, 2, Medium.NEWS)
    picture = site.desk.about.picture(incident)
    assert picture["heard"]["total"] == 8
    assert {share["name"]: share["count"] for share in picture["spread"]["media"]} == {
        Medium.FORUM.zh: 6,
        Medium.NEWS.zh: 2,
    }
    assert picture["heard"]["first"]["medium"] == Medium.FORUM.zh
    assert [share["name"] for share in picture["spread"]["places"]] == ["临江市"]
    assert sum(bar["count"] for bar in picture["curve"]["bars"]) == 8


def test_a_past_incident_comes_with_how_it_was_answered(site: Site) -> None:
    site.time.moment = at("01:00")
    about = {
        "title": "江北化工园区罐区爆炸",
        "grade": "III",
        "kind": "major_problem",
        "event_type": "accident",
    }
    past = str(site.desk.act("open", "", about, "chen")["id"])
    site.time.moment = at("02:00")
    proof = {"kind": "published_statement", "url": "https://example.com/1", "publisher": "临江发布"}
    site.desk.act("stop", past, proof, "chen")
    incident = pour(site)
    incident = next(
        one["id"] for one in site.desk.board()["incidents"] if one["id"] != past and one["signal_count"]
    )
    found = site.desk.about.similar(incident)
    (one,) = [row for row in found["similar"] if row["id"] == past]
    assert one["first_statement"]["publisher"] == "临江发布"
    assert one["first_statement"]["after_s"] == 3600
    assert one["reasons"]


def test_an_incident_without_signals_has_a_page_all_the_same(site: Site) -> None:
    incident = str(site.desk.act("open", "", {"title": "人工立案", "grade": "IV"}, "chen")["id"])
    assert shown(site, incident)["signals"] == []
    assert site.desk.about.picture(incident)["curve"]["bars"] == []
    assert site.desk.about.overview(incident)["grade_why"]["confirmed"]["by"] == "陈值班"
    assert site.desk.about.similar(incident)["similar"] == []
    with pytest.raises(Unknown, match="没有编号为 7 的线索"):
        site.desk.about.signal(incident, 7)
    for ask in (site.desk.about.overview, site.desk.about.picture, site.desk.about.similar):
        with pytest.raises(Unknown):
            ask("2026-9999")
