"""Letters between installations where something is not as it should be: nothing leaks, nobody lies, nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from connectors import parcels
from flows.judging.rows import part_of
from flows.telling import lines
from flows.telling.couriers import SENT
from models.core.levels import PAYLOAD, Kind
from models.core.moment import iso
from models.ledger import acts, clocks, duties, incidents, journal, levels_parcel, levels_rows
from models.ledger.words import KINDS
from playbooks.secret import Secrets
from support.neighbours import (
    Between,
    Pair,
    Town,
    between,
    given,
    pair,
    parcel_of,
    post,
    receipt,
    said_back,
    sealed,
)

DRAFT = "经查，事故系违规施工所致，已控制三人。"


@pytest.fixture
def databases(tmp_path: Path) -> tuple[str, str]:
    """Both on SQLite: for what the engine has no part in."""
    return f"sqlite:///{tmp_path / 'county.sqlite'}", f"sqlite:///{tmp_path / 'city.sqlite'}"


@pytest.fixture
def both(tmp_path: Path, databases: tuple[str, str]) -> Iterator[Pair]:
    with pair(tmp_path, databases) as found:
        yield found


def accepted(both: Pair) -> tuple[str, dict[str, Any]]:
    """Our incident and the referral at the city, which has accepted it and not told us so."""
    ours = both.county.opened()
    both.county.refer(ours, "city")
    both.county.carry()
    came = both.city.came()
    both.city.desk.levels.act("accept", came["id"], {}, "chen")
    return ours, both.city.came()


def kinds(town: Town, incident: str | None) -> list[str]:
    with town.house.store.read() as conn:
        return [row["kind"] for row in journal.entries(conn) if row["incident_id"] == incident]


# ── what leaves the house ─────────────────────────────────────────────────────────────────────


def test_a_text_that_nobody_has_released_goes_to_no_other_government(both: Pair) -> None:
    """Laws 8 and 9: of the journal only what the parcel tells anyway is verbatim; the seals hold all the same."""
    county = both.county
    ours = county.opened()
    made = county.desk.statements.draft(ours, {"title": "情况通报", "text": DRAFT}, "chen")
    county.desk.statements.act("edit", made["id"], {"title": "情况通报", "text": f"{DRAFT}第二稿"}, "chen")
    county.refer(ours, "city")
    assert county.carry()
    assert county.referrals(ours)[0]["state"] == "delivered", "every seal was checked there"
    assert DRAFT not in both.way_up.seen[0].decode()
    said = json.loads(both.way_up.seen[0])["message"]["body"]
    payloads = {entry["kind"]: entry["payload"] for entry in said["journal"]["entries"]}
    assert payloads["statement_drafted"] is payloads["statement_edited"] is None
    assert payloads["incident_opened"] and payloads["clocks_planned"]
    assert [one["title"] for one in said["statements"]] == ["情况通报"]


def test_what_may_leave_is_named_and_a_new_kind_of_entry_stays_at_home() -> None:
    assert set(KINDS) >= levels_parcel.VERBATIM
    homely = ("statement_", "dossier_", "product_", "meeting_", "referral_", "account_", "proposal_")
    assert not [kind for kind in levels_parcel.VERBATIM if kind.startswith(homely)]


def test_a_site_that_withholds_the_words_sends_no_payload_and_is_believed(
    tmp_path: Path, databases: tuple[str, str]
) -> None:
    with pair(tmp_path, databases, personal_data="withhold") as both:
        ours = both.county.opened()
        body = parcel_of(both.county, both.county.refer(ours, "city"))
        assert {entry["payload"] for entry in body["journal"]["entries"]} == {None}
        assert both.county.carry()
        assert both.county.referrals(ours)[0]["state"] == "delivered"


def test_a_second_referral_does_not_hold_the_first(both: Pair) -> None:
    county, city = both.county, both.city
    ours = county.opened()
    county.refer(ours, "city", "inform")
    county.carry()
    body = parcel_of(county, county.refer(ours, "city"))
    payloads = {entry["kind"]: entry["payload"] for entry in body["journal"]["entries"]}
    assert payloads["incident_referred"] is None
    county.carry()
    theirs = next(one for one in city.desk.levels.overview()["referrals"] if one["incident_id"])
    with city.house.store.read() as conn:
        row, sender = incidents.get(conn, theirs["incident_id"]), city.desk.levels._sender()
        onward = levels_parcel.compose(conn, row, city.house.time.now(), sender, "transfer", "li", "报省里")
    payloads = {entry["kind"]: entry["payload"] for entry in onward["journal"]["entries"]}
    assert payloads["referral_received"] is None, "nor what another installation sent"


def test_an_entry_longer_than_a_reader_takes_goes_as_its_hash(both: Pair) -> None:
    county = both.county
    ours = county.opened()
    with county.house.store.write() as conn:
        acts.note(conn, county.house.time.now(), ours, "x" * (PAYLOAD + 1), "chen")
    county.refer(ours, "city")
    assert county.carry()
    assert county.referrals(ours)[0]["state"] == "delivered"


# ── what cannot be taken now ──────────────────────────────────────────────────────────────────


def test_without_the_receivers_key_nothing_is_taken_and_nothing_refused_for_good(both: Pair) -> None:
    county, city = both.county, both.city
    ours = county.opened()
    county.refer(ours, "city")
    whole = city.house.site
    for secrets in ({}, {"HUIYING_LEVELS_KEY": "no key"}):
        city.house.site = replace(whole, secrets=Secrets(secrets, whole.directory))
        assert county.carry() == 0
        assert "401" in county.standing().why
        assert county.referrals(ours)[0]["state"] == "sent"
        assert city.desk.board()["incidents"] == []
    city.house.site = whole
    assert county.carry()
    assert county.referrals(ours)[0]["state"] == "delivered"


def test_a_receiver_whose_clock_is_slow_takes_a_fresh_incident_once_it_is_true_there(both: Pair) -> None:
    county, city = both.county, both.city
    ours = county.opened(hours=0)
    county.refer(ours, "city")
    city.later(minutes=-5)
    assert county.carry() == 0
    assert "401" in county.standing().why
    assert county.referrals(ours)[0]["state"] == "sent"
    city.later(minutes=5)
    assert county.carry()
    assert county.referrals(ours)[0]["state"] == "delivered"
    assert city.clocks(city.came()["incident_id"]).keys() == county.clocks(ours).keys()


def test_a_proof_of_just_now_is_not_lost_to_a_slow_clock(both: Pair) -> None:
    county, city = both.county, both.city
    ours = county.opened(hours=1)
    proof = {"kind": "published_statement", "url": "https://example.gov.cn/1", "publisher": "县政府新闻办"}
    county.desk.act("stop", ours, proof, "chen")
    county.refer(ours, "city")
    city.later(minutes=-5)
    assert county.carry() == 0
    city.later(minutes=5)
    county.carry()
    assert "met" in {clock["state"] for clock in city.clocks(city.came()["incident_id"]).values()}


def test_a_letter_is_read_and_judged_while_somebody_else_writes(both: Pair) -> None:
    """SQLite has one writer: who sends nonsense holds it up for nobody."""
    body = given(both)
    forged = json.loads(json.dumps(body))
    forged["journal"]["entries"][0]["reason"] = "改过"
    with both.city.house.store.write():
        answer = post(both.city, sealed(both, forged, "n2"))
    assert (answer.status_code, "哈希不符" in answer.json()["error"]) == (409, True)


# ── what they would not have ──────────────────────────────────────────────────────────────────


def routed(town: Town, url: str) -> None:
    """The town's letters to its first neighbour go by `url`."""
    first, *others = town.house.site.neighbours
    site = town.house.site
    town.house.site = replace(site, neighbours=(first.model_copy(update={"url": url}), *others))


@pytest.fixture
def way_down(both: Pair) -> Iterator[Between]:
    """Somebody between them on the city's way to the county."""
    with between(both.county.url) as (url, proxy):
        routed(both.city, url)
        yield proxy


def test_a_receipt_that_a_proxy_refused_is_not_said_to_have_arrived_and_is_sent_again(
    both: Pair, way_down: Between
) -> None:
    county, city = both.county, both.city
    ours, came = accepted(both)
    way_down.instead, way_down.status = b"too large", 413
    city.courier().step()
    assert "referral_unheard" in kinds(city, came["incident_id"])
    assert "referral_receipted" not in kinds(city, came["incident_id"])
    assert city.came()["answered_at"] is None
    told = [one for one in city.desk.board()["recent_alerts"] if "没有接受回执" in (one["title"] or "")]
    assert len(told) == 1
    assert "413" in told[0]["reason"]
    sent = len(way_down.seen)
    city.courier().step()
    assert len(way_down.seen) == sent, "not at once again"
    assert county.clocks(ours), "and who sent it goes on"

    city.later(minutes=11)
    city.courier().step()
    assert len(way_down.seen) == sent + 1
    assert kinds(city, came["incident_id"]).count("referral_unheard") == 1, "the journal says it once"
    way_down.instead = None
    city.later(minutes=11)
    city.courier().step()
    assert city.came()["answered_at"]
    assert county.referrals(ours)[0]["state"] == "accepted"
    assert county.clocks(ours) == {}
    with city.house.store.read() as conn:
        assert duties.get_setting(conn, lines.put_off_of(city.house.site.neighbours[0])) == {}
    words = [line["text"] for line in city.desk.seen(came["incident_id"])["timeline"]]
    assert any("没有接受回执" in line for line in words)
    county.verified()
    city.verified()


def test_a_receipt_that_is_put_off_holds_up_no_other_letter_nor_the_word_that_follows(
    both: Pair, way_down: Between
) -> None:
    county, city = both.county, both.city
    ours, came = accepted(both)
    way_down.instead, way_down.status = b"", 400
    city.courier().step()
    way_down.instead = None
    own = city.opened("市里的一起")
    city.refer(own, "county", "inform")
    city.courier().step()
    assert city.referrals(own)[0]["state"] == "delivered"
    assert county.referrals(ours)[0]["state"] == "delivered", "the first word waits"
    city.desk.levels.act("return", came["id"], {"reason": "属县里"}, "li")
    city.courier().step()
    assert county.referrals(ours)[0]["state"] == "returned", "the second does not"


def test_progress_that_was_refused_is_not_said_to_be_told(both: Pair, way_down: Between) -> None:
    county, city = both.county, both.city
    ours, came = accepted(both)
    way_down.then = lambda: setattr(
        way_down, "instead", b""
    )  # the receipt gets through, and nothing after it
    way_down.status = 409
    city.courier().step()
    assert "referral_receipted" in kinds(city, came["incident_id"])
    assert "referral_told" not in kinds(city, came["incident_id"])
    assert "referral_unheard" in kinds(city, came["incident_id"])
    way_down.then, way_down.instead = (lambda: None), None
    city.later(minutes=11)
    city.courier().step()
    assert county.referrals(ours)[0]["progress"]["ref"] == f"舆-{came['incident_id']}"


def test_an_answer_that_is_none_by_its_kind_or_its_words_is_not_believed(both: Pair) -> None:
    county = both.county
    ours = county.opened()
    number = county.refer(ours, "city")["id"]
    for kind, body in (
        (Kind.SUMMARY, {}),
        (Kind.ANSWER, {"incident": {"id": 1}}),
        (Kind.ANSWER, {"ref": "x" * 501}),
        (Kind.ANSWER, {"incident": "a b"}),
    ):
        both.way_up.instead = said_back(both, number, kind, body)
        assert county.carry() == 0, body
        assert county.referrals(ours)[0]["state"] == "sent"
    both.way_up.instead = None
    assert county.carry()
    assert county.referrals(ours)[0]["their_ref"]


# ── whose it is ───────────────────────────────────────────────────────────────────────────────


def test_what_came_back_cannot_be_accepted_after_all(both: Pair) -> None:
    county, city = both.county, both.city
    ours = county.opened()
    first = county.refer(ours, "city")["id"]
    county.carry()
    city.desk.levels.act("return", first, {"reason": "属县里"}, "li")
    city.carry()
    second = county.refer(ours, "city")["id"]
    at = iso(county.house.time.now() + timedelta(minutes=1))
    late = said_back(both, "r1", Kind.RECEIPT, receipt(first, at=at))
    answer = post(county, late)
    assert (answer.status_code, "不能再答复" in answer.json()["error"]) == (409, True)
    states = {one["id"]: one["state"] for one in county.referrals(ours)}
    assert states == {first: "returned", second: "sent"}


def test_what_was_refused_and_is_with_another_by_now_cannot_be_accepted(both: Pair) -> None:
    county = both.county
    ours = county.opened()
    first = county.refer(ours, "city")["id"]
    both.way_up.instead, both.way_up.status = b"", 413
    county.carry()
    assert county.referrals(ours)[0]["state"] == "refused"
    both.way_up.instead = None
    second = county.refer(ours, "city")["id"]
    at = iso(county.house.time.now() + timedelta(minutes=1))
    answer = post(county, said_back(both, "r1", Kind.RECEIPT, receipt(first, at=at)))
    assert (answer.status_code, "已改为移交" in answer.json()["error"]) == (409, True)
    assert post(county, said_back(both, "r2", Kind.RECEIPT, receipt(second, at=at))).status_code == 200


def test_a_clock_that_had_ended_here_is_not_taken_over(both: Pair) -> None:
    """Else a proof that is retracted later starts none: it would be held to run there."""
    county = both.county
    ours = county.opened(hours=1)
    proof = {"kind": "published_statement", "url": "https://example.gov.cn/1", "publisher": "县政府新闻办"}
    county.desk.act("stop", ours, proof, "chen")
    states = {rule: clock["state"] for rule, clock in county.clocks(ours).items()}
    met = [rule for rule, state in states.items() if state == "met"]
    number = county.refer(ours, "city")["id"]
    county.carry()
    at = iso(county.house.time.now() + timedelta(minutes=1))
    said = receipt(number, at=at, taken=[*states, "no_such"])
    assert post(county, said_back(both, "r1", Kind.RECEIPT, said)).status_code == 200
    taken = county.referrals(ours)[0]["taken"]
    assert met
    assert not set(met) & set(taken)
    assert taken and set(taken) <= set(states)
    county.verified()


def test_a_part_of_the_grade_is_whole_or_is_not_taken(both: Pair) -> None:
    body = given(both)
    bare: list[dict[str, Any]] = [
        {"part": "event", "grade": "II", "reason": "死亡三人"},
        {"part": "of tomorrow", "grade": "I", "reason": "某种新的方面"},
        {"part": "person", "grade": None, "reason": "人工定级"},
    ]
    said = {**body, "incident": {**body["incident"], "grade_parts": bare}}
    assert post(both.city, sealed(both, said)).status_code == 200
    with both.city.house.store.read() as conn:
        kept = incidents.get(conn, both.city.came()["incident_id"]).grade_parts
    assert [part["part"] for part in kept] == ["event", "person"]
    assert part_of(kept[0]).basis == ()
    odd = {**body, "incident": {**body["incident"], "grade_parts": [{**bare[0], "basis": "B-1"}]}}
    answer = post(both.city, sealed(both, odd, "n2"))
    assert (answer.status_code, "grade_parts" in answer.json()["error"]) == (409, True)


def test_a_neighbour_that_is_called_what_anothers_id_is_gets_none_of_its_letters(
    tmp_path: Path, databases: tuple[str, str]
) -> None:
    with pair(tmp_path, databases, others=("county",)) as both:
        site = both.city.house.site
        both.city.house.site = replace(site, neighbours=site.neighbours[::-1])
        assert [one.name for one in both.city.house.site.neighbours] == ["county", "临江县"]
        ours = both.county.opened()
        both.county.refer(ours, "city")
        assert both.county.carry()
        assert both.county.referrals(ours)[0]["state"] == "delivered"
        assert both.city.came()["neighbour_name"] == "临江县"
        meant = lines.meant(both.city.house, "county")
        assert meant is not None and meant.name == "临江县", "an id goes before a name"


# ── what is asked again and again ─────────────────────────────────────────────────────────────


def ended(town: Town, incident: str) -> None:
    """Closed, its clocks waived and its tasks struck off."""
    with town.house.store.read() as conn:
        rules = [clock.rule_id for clock in clocks.live_clocks(conn, incident)]
    for rule in rules:
        town.desk.act("waive", incident, {"clock": rule, "reason": "无须回应"}, "zhou")
    town.desk.work.act("drop", incident, {"task": "all", "reason": "无须回应"}, "zhou")
    town.desk.act("close", incident, {"reason": "办结"}, "zhou")


def test_an_end_while_a_letter_is_on_its_way_is_told_by_the_next(both: Pair, way_down: Between) -> None:
    county, city = both.county, both.city
    ours, came = accepted(both)
    way_down.then = lambda: ended(city, came["incident_id"]) if len(way_down.answers) == 2 else None
    city.courier().step()
    city.carry()
    assert county.referrals(ours)[0]["progress"]["closed_at"]


def test_what_was_merged_is_followed_to_the_end_of_what_it_went_into_and_no_further(both: Pair) -> None:
    county, city = both.county, both.city
    ours, came = accepted(both)
    city.carry()
    known = city.opened("另一起", hours=6)
    city.desk.act("merge", came["incident_id"], {"into": known, "reason": "同一事件"}, "li")

    def followed() -> list[str]:
        with city.house.store.read() as conn:
            return [row.id for row in levels_rows.followed(conn, "county")]

    assert city.carry()
    assert followed() == [came["id"]]
    ended(city, known)
    assert followed() == [came["id"]], "its end is still to be told"
    assert city.carry()
    assert county.referrals(ours)[0]["progress"]["closed_at"]
    assert followed() == []
    city.desk.act("reopen", known, {"reason": "又有新情况"}, "zhou")
    assert followed() == [came["id"]]


def test_a_plan_asks_the_journal_only_of_what_was_handed_on(both: Pair) -> None:
    county = both.county
    ours = county.opened()
    asked: list[str] = []
    with county.house.store.read() as conn:
        event.listen(conn, "before_cursor_execute", lambda *said: asked.append(said[2]))
        assert levels_rows.elsewhere(conn, ours) == frozenset()
        assert levels_rows.held_by(conn, ours) is None
    assert len(asked) == 2
    assert not [line for line in asked if "journal" in line.lower()]


def test_how_a_line_stood_is_read_from_a_site_that_has_run_before(both: Pair) -> None:
    county = both.county
    kept = {"tries": 3, "why": "连不上", "next_at": iso(county.house.time.now())}
    with county.house.store.write() as conn:
        duties.put_setting(conn, "levels:city", kept)
    assert (county.standing().tries, county.standing().why) == (3, "连不上")
    county.refer(county.opened(), "city")
    assert county.carry()
    with county.house.store.read() as conn:
        assert duties.get_setting(conn, "levels:city") == {"tries": 0, "why": "", "next_at": None}
        assert duties.get_setting(conn, f"{SENT}city")


def test_the_answer_and_the_parts_of_a_grade_have_a_shape() -> None:
    assert parcels.schema()["$defs"]["Part"]["required"] == ["part", "grade", "reason"]
