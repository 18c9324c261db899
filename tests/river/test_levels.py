"""An incident handed from one installation to another: nothing restarts, nothing is lost, nobody is believed unseen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from connectors import neighbours, parcels
from flows.cli import app
from models.core.levels import Kind, letter
from models.ledger import incidents, planning
from playbooks.problem import Problems
from playbooks.secret import Secrets
from playbooks.site import load_site
from support import postgres
from support.neighbours import Pair, Town, TownWorker, given, pair, post, receipt, sealed
from support.sites import ENVIRON, write_site
from support.waiting import until


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Two databases on one engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'county.sqlite'}", f"sqlite:///{tmp_path / 'city.sqlite'}"
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return server.database(), server.database()


@pytest.fixture
def both(tmp_path: Path, databases: tuple[str, str]) -> Iterator[Pair]:
    with pair(tmp_path, databases) as found:
        yield found


def test_a_transfer_keeps_every_start_and_ends_clocks_only_when_it_is_accepted(both: Pair) -> None:
    county, city = both.county, both.city
    ours = county.opened(hours=7)
    before = county.clocks(ours)
    referral = county.refer(ours, "city")
    assert county.carry()
    came = city.came()
    assert (came["state"], came["their_ref"], came["purpose_zh"]) == ("waiting", f"舆-{ours}", "移交")
    theirs = city.clocks(came["incident_id"])
    assert theirs.keys() == before.keys()
    for rule, clock in theirs.items():
        assert (clock["started_at"], clock["due_at"]) == (before[rule]["started_at"], before[rule]["due_at"])
    assert [rule for rule, clock in theirs.items() if clock["state"] == "breached"], "overdue, and it says so"
    now = county.clocks(ours)
    assert {clock["ended_at"] for clock in now.values()} == {None}, "until they accept, all goes on here"

    city.desk.levels.act("accept", came["id"], {"reason": "由市里办理"}, "chen")
    assert {clock["ended_at"] for clock in county.clocks(ours).values()} == {None}
    assert city.carry()
    (settled,) = county.referrals(ours)
    assert settled["id"] == referral["id"]
    assert settled["state"] == "accepted"
    assert county.clocks(ours) == {}, "what another installation took over runs there"
    words = [line["text"] for line in county.desk.seen(ours)["timeline"]]
    assert any("回执 city-" in line for line in words)
    with county.house.store.write() as conn:
        now_ = county.house.time.now()
        assert not planning.out_of_step(conn, now_, incidents.get(conn, ours), county.house.rules_for)
        planning.replan(conn, now_, incidents.get(conn, ours), county.house.rules_for, "试")
    assert county.clocks(ours) == {}, "and no plan brings it back"
    county.verified()
    city.verified()


def test_what_becomes_of_it_there_is_seen_here(both: Pair) -> None:
    county, city = both.county, both.city
    ours = county.opened()
    county.refer(ours, "city")
    county.carry()
    came = city.came()
    city.desk.levels.act("accept", came["id"], {}, "chen")
    city.carry()
    (seen,) = county.referrals(ours)
    assert seen["progress"]["ref"] == f"舆-{came['incident_id']}"
    proof = {
        "kind": "published_statement",
        "url": "https://example.gov.cn/tongbao/1",
        "publisher": "市政府新闻办",
    }
    city.desk.act("stop", came["incident_id"], proof, "chen")
    city.carry()
    (seen,) = county.referrals(ours)
    states = {clock["rule_id"]: clock["state"] for clock in seen["progress"]["clocks"]}
    assert "met_late" in states.values()
    assert city.carry() == 0, "what was told is not told again"
    county.verified()
    city.verified()


def test_what_was_published_before_stops_the_receivers_clocks_too(both: Pair) -> None:
    county, city = both.county, both.city
    ours = county.opened(hours=1)
    proof = {"kind": "published_statement", "url": "https://example.gov.cn/1", "publisher": "县政府新闻办"}
    county.desk.act("stop", ours, proof, "chen")
    met = {rule for rule, clock in county.clocks(ours).items() if clock["state"] == "met"}
    county.refer(ours, "city")
    county.carry()
    there = city.clocks(city.came()["incident_id"])
    assert met
    assert {rule for rule in met if there[rule]["state"] == "met"} == met


def test_a_return_closes_it_there_and_is_told_here_where_all_goes_on(both: Pair) -> None:
    county, city = both.county, both.city
    ours = county.opened()
    county.refer(ours, "city")
    county.carry()
    came = city.came()
    city.desk.work.act("give_back", came["incident_id"], {"reason": "属县级事权"}, "li")
    assert city.desk.seen(came["incident_id"])["closed_at"]
    city.carry()
    (seen,) = county.referrals(ours)
    assert (seen["state"], seen["decision"]) == ("returned", "属县级事权")
    assert {clock["ended_at"] for clock in county.clocks(ours).values()} == {None}
    alerts = county.desk.board()["recent_alerts"]
    assert any("退回" in (alert["title"] or "") for alert in alerts)
    county.refer(ours, "city")  # what came back may be sent again
    county.verified()
    city.verified()


def test_what_was_accepted_and_is_returned_later_runs_again_from_the_same_start(both: Pair) -> None:
    county, city = both.county, both.city
    ours = county.opened()
    before = county.clocks(ours)
    county.refer(ours, "city")
    county.carry()
    came = city.came()
    city.desk.levels.act("accept", came["id"], {}, "chen")
    city.carry()
    assert county.clocks(ours) == {}
    city.desk.levels.act("return", came["id"], {"reason": "核实后属县里"}, "li")
    city.carry()
    again = county.clocks(ours)
    assert {rule: clock["started_at"] for rule, clock in again.items()} == {
        rule: clock["started_at"] for rule, clock in before.items()
    }
    county.verified()
    city.verified()


def test_for_information_nothing_opens_and_nothing_ends(both: Pair) -> None:
    county, city = both.county, both.city
    ours = county.opened()
    before = county.clocks(ours)
    county.refer(ours, "city", "inform")
    county.carry()
    came = city.came()
    assert (came["purpose_zh"], came["incident_id"]) == ("抄报", None)
    assert city.desk.board()["incidents"] == []
    city.desk.levels.act("note", came["id"], {}, "chen")
    city.carry()
    (seen,) = county.referrals(ours)
    assert (seen["state"], seen["receipt"]) == ("noted", came["id"] and f"city-{came['id'][:8]}")
    assert county.clocks(ours).keys() == before.keys()
    assert {clock["ended_at"] for clock in county.clocks(ours).values()} == {None}
    county.verified()
    city.verified()


def test_an_answer_that_was_lost_brings_no_second_incident(both: Pair) -> None:
    """The same as a kill between the send and its record: the letter goes again under its number."""
    county, city = both.county, both.city
    ours = county.opened()
    county.refer(ours, "city")
    both.way_up.lose = 2
    assert county.carry() == 0
    assert county.standing().tries == 1
    assert county.carry() == 0
    assert county.referrals(ours)[0]["state"] == "sent"
    assert county.carry()
    assert county.referrals(ours)[0]["state"] == "delivered"
    assert len(both.way_up.seen) >= 3
    assert len(city.desk.board()["incidents"]) == 1
    county.verified()
    city.verified()


@pytest.fixture
def light(tmp_path: Path) -> Iterator[Pair]:
    """Both on SQLite: for what the engine has no part in."""
    databases = (f"sqlite:///{tmp_path / 'county.sqlite'}", f"sqlite:///{tmp_path / 'city.sqlite'}")
    with pair(tmp_path, databases) as found:
        yield found


def test_a_worker_killed_between_the_send_and_its_record_sends_again_and_opens_nothing_twice(
    light: Pair,
) -> None:
    county, city = light.county, light.city
    ours = county.opened()
    county.refer(ours, "city")
    with TownWorker(county) as running:
        light.way_up.then = running.kill
        running.start()
        until(lambda: not running.alive)
        assert county.referrals(ours)[0]["state"] == "sent", "it did not live to write it down"
        assert len(city.desk.board()["incidents"]) == 1
        light.way_up.then = lambda: None
        running.start()
        until(lambda: county.referrals(ours)[0]["state"] == "delivered")
    assert len(city.desk.board()["incidents"]) == 1
    county.verified()
    city.verified()


def tampered(body: bytes, change: str) -> bytes:
    found: dict[str, Any] = json.loads(body)
    if change == "grade":
        found["message"]["body"]["incident"]["grade"] = "IV"
    elif change == "receiver":
        found["message"]["to"] = "peer"
    elif change == "sender":
        found["message"]["from"] = "stranger"
    elif change == "unsigned":
        del found["signature"]
    elif change == "time":
        found["message"]["sent_at"] = "2020-01-01T00:00:00+08:00"
    return json.dumps(found).encode()


def test_one_changed_byte_on_the_way_is_noticed_and_the_true_letter_gets_through_later(light: Pair) -> None:
    ours = light.county.opened()
    light.county.refer(ours, "city")
    for change in ("grade", "receiver", "sender", "unsigned", "time"):
        light.way_up.change = partial(tampered, change=change)
        assert light.county.carry() == 0, change
        assert "401" in light.county.standing().why, change
    assert light.city.desk.board()["incidents"] == []
    light.way_up.change = lambda body: body
    assert light.county.carry()
    assert len(light.city.desk.board()["incidents"]) == 1


def test_a_replayed_letter_gets_the_same_answer_and_changes_nothing(light: Pair) -> None:
    light.county.refer(light.county.opened(), "city")
    light.county.carry()
    before = light.city.desk.revision()
    again = post(light.city, light.way_up.seen[0])
    assert again.status_code == 200
    first = json.loads(light.way_up.answers[0])["message"]["body"]
    assert again.json()["message"]["body"] == first
    assert light.city.desk.revision() == before


def test_a_true_neighbour_cannot_say_another_thing_under_the_same_number_nor_what_makes_no_sense(
    light: Pair,
) -> None:
    body = given(light)
    assert post(light.city, sealed(light, body)).status_code == 200
    opened = len(light.city.desk.board()["incidents"])
    other = {**body, "reason": "另一件事"}
    forged = json.loads(json.dumps(body))
    forged["journal"]["entries"][0]["reason"] = "改过"
    ahead = json.loads(json.dumps(body))
    ahead["times"][0]["value"] = "2099-01-01T00:00:00+08:00"
    alien = {**body, "sender": {**body["sender"], "id": "province"}}
    short = {key: value for key, value in body.items() if key != "clocks"}
    nul = {**body, "reason": "a\0b"}
    refused = {
        "内容不同": sealed(light, other),
        "哈希不符": sealed(light, forged, "n2"),
        "将来": sealed(light, ahead, "n3"),
        "移送方是 province": sealed(light, alien, "n4"),
        "clocks 不合格式": sealed(light, short, "n5"),
        "reason 不合格式": sealed(light, nul, "n6"),
        "不收这种信": sealed(light, body, "n7", Kind.ANSWER),
        "没有移送过": sealed(light, receipt("nobody"), "n8", Kind.RECEIPT),
    }
    for words, raw in refused.items():
        answer = post(light.city, raw)
        assert (answer.status_code, words in answer.json()["error"]) == (409, True), answer.text
    assert len(light.city.desk.board()["incidents"]) == opened
    light.city.verified()


NO_LETTERS = {
    "nothing": (b"", 409),
    "a list": (b"[]", 409),
    "no message": (b'{"message": 1, "signature": ""}', 409),
    "brackets": (b"[" * 100_000, 409),
    "no signature": (b'{"message": {"from": "county"}, "signature": "x"}', 401),
    "no name": (b'{"message": {"from": ["county"]}, "signature": "x"}', 401),
    "too large": (b" " * (3 * 1024 * 1024), 409),
    "far too large": (b" " * (5 * 1024 * 1024), 413),
}


def test_what_is_no_letter_is_refused_with_one_clear_sentence(light: Pair) -> None:
    for name, (raw, status) in NO_LETTERS.items():
        answer = post(light.city, raw)
        assert (answer.status_code, bool(answer.json()["error"])) == (status, True), name
    assert light.city.desk.levels.overview()["referrals"] == []


def test_an_answer_that_is_not_theirs_is_none(light: Pair) -> None:
    """Who stands between cannot say that they have what they never got."""
    ours = light.county.opened()
    light.county.refer(ours, "city")
    said = letter("x", Kind.ANSWER, "city", "county", light.city.house.time.now(), {})
    light.way_up.instead = neighbours.seal(said, light.county.key)
    assert light.county.carry() == 0
    assert "不可信" in light.county.standing().why
    assert light.county.referrals(ours)[0]["state"] == "sent"
    light.way_up.instead = None
    assert light.county.carry()


def test_what_they_will_never_take_is_told_to_people_and_holds_up_nothing(light: Pair) -> None:
    county = light.county
    ours = county.opened()
    began = county.refer(ours, "city", "inform")
    bad = lambda body: sealed(light, {"shape": 1}, began["id"]) if b'"kind":"parcel"' in body else body  # noqa: E731
    light.way_up.change = bad
    assert county.carry() >= 1
    assert county.referrals(ours)[0]["state"] == "refused"
    light.way_up.change = lambda body: body
    told = [alert["title"] or "" for alert in county.desk.board()["recent_alerts"]]
    assert any("拒收移送" in title for title in told)
    county.refer(ours, "city", "inform")
    assert county.carry()
    assert county.referrals(ours)[0]["state"] == "delivered"


def test_without_our_own_key_nothing_is_given_up(light: Pair) -> None:
    """A secret that is not there is ours to mend; no parcel is lost by it."""
    county = light.county
    ours = county.opened()
    county.refer(ours, "city")
    whole = county.house.site
    county.house.site = replace(whole, secrets=Secrets({}, whole.directory))
    assert county.carry() == 0
    assert "HUIYING_LEVELS_KEY" in county.standing().why
    assert county.referrals(ours)[0]["state"] == "sent"
    county.house.site = whole
    assert county.carry()
    assert county.referrals(ours)[0]["state"] == "delivered"


def test_contacts_and_personal_data_stay_at_home_and_the_rest_is_verbatim(light: Pair) -> None:
    county = light.county
    ours = county.opened("望江路塌陷，联系人王小明 13800138000")
    county.desk.act("update", ours, {"text": "家属电话 13900139000"}, "chen")
    county.desk.act("update", ours, {"text": "抢险车已到"}, "chen")
    county.refer(ours, "city")
    county.carry()
    raw = light.way_up.seen[0].decode()
    assert not [secret for secret in ("13800138000", "13900139000", "contacts", "王小明") if secret in raw]
    body = json.loads(raw)["message"]["body"]
    jsonschema.validate(body, parcels.schema())
    said = {entry["reason"]: entry for entry in body["journal"]["entries"]}
    assert "抢险车已到" in said["抢险车已到"]["payload"]
    masked = next(entry for entry in body["journal"]["entries"] if entry["masked"])
    assert masked["payload"] is None


def test_the_upper_board_has_a_row_for_each_lower_one_and_silence_is_never_calm(light: Pair) -> None:
    county, city = light.county, light.city
    (row,) = city.desk.levels.overview()["rows"]
    assert (row["silent"], row["heard_at"], row["open"]) == (True, None, None)
    county.opened("停水，电话 13800138000", hours=7)
    county.carry()
    (row,) = city.desk.levels.overview()["rows"]
    assert (row["silent"], row["open"], row["grades"]["II"]) == (False, 1, 1)
    assert row["clocks"]["breached"] >= 1
    assert row["nearest"][0]["state"] == "breached"
    assert "13800138000" not in json.dumps(row, ensure_ascii=False)
    assert row["journal"]["hash"]
    heard = light.way_up.seen[-1]
    assert county.carry() == 0, "once a minute"
    patience(city, timedelta(0))
    courier = city.courier()
    courier.step()
    courier.step()
    (row,) = city.desk.levels.overview()["rows"]
    assert (row["silent"], row["open"]) == (True, 1), "the last figures, and that they are old"
    told = [one for one in city.desk.board()["recent_alerts"] if "没有消息" in (one["title"] or "")]
    assert len(told) == 1
    assert "不等于平安" in told[0]["reason"]
    item = next(one for one in city.desk.board()["coverage"]["items"] if one["name"] == "level:county")
    assert item["state"] == "late"
    assert post(city, heard).status_code == 200, "an older word is heard and changes nothing"


def patience(town: Town, length: timedelta) -> None:
    """As if site.yaml said so of silence and of answers."""
    said = town.house.site.levels.model_copy(update={"silent_after": length, "answer_within": length})
    town.house.site = replace(town.house.site, levels=said)


def test_a_transfer_that_nobody_answers_is_told_to_the_people_on_duty_once(light: Pair) -> None:
    county = light.county
    ours = county.opened()
    county.refer(ours, "city")
    county.carry()
    patience(county, timedelta(0))
    for _ in range(2):
        county.courier().step()
    told = [one for one in county.desk.board()["recent_alerts"] if "移交 临江市 已" in (one["title"] or "")]
    assert len(told) == 1
    assert "无人接收" in told[0]["reason"]


def test_what_was_merged_before_it_was_accepted_is_taken_over_by_the_one_it_went_into(light: Pair) -> None:
    county, city = light.county, light.city
    ours = county.opened()
    county.refer(ours, "city")
    known = city.opened(hours=6)
    county.carry()
    came = city.came()
    city.desk.act("merge", came["incident_id"], {"into": known, "reason": "同一事件"}, "li")
    city.desk.levels.act("accept", came["id"], {}, "chen")
    city.carry()
    (seen,) = county.referrals(ours)
    assert seen["state"] == "accepted"
    assert seen["progress"]["ref"] == f"舆-{known}"
    assert county.clocks(ours) == {}
    county.verified()
    city.verified()


def test_where_a_playbook_asks_that_they_be_told_their_receipt_here_is_that_receipt(tmp_path: Path) -> None:
    """S-041: 同步通报宣传部、网信办."""
    databases = (f"sqlite:///{tmp_path / 'county.sqlite'}", f"sqlite:///{tmp_path / 'city.sqlite'}")
    with pair(tmp_path, databases, "网信办") as both:
        ours = both.county.opened(hours=1)
        groups = both.county.desk.work.overview(ours)["notifications"]
        assert any("网信办" in group["missing"] for group in groups)
        both.county.refer(ours, "city", "inform")
        both.county.carry()
        came = both.city.came()
        both.city.desk.levels.act("note", came["id"], {}, "chen")
        both.city.carry()
        groups = both.county.desk.work.overview(ours)["notifications"]
        assert not any("网信办" in group["missing"] for group in groups)
        told = [one for group in groups for one in group["parties"] if one["name"] == "网信办"]
        assert told[0]["receipt"] == f"city-{came['id'][:8]}"
        both.county.verified()


def test_what_is_reopened_here_is_ours_again_with_every_clock_on_its_old_start(light: Pair) -> None:
    """Else what they have closed would be nobody's."""
    county, city = light.county, light.city
    ours = county.opened()
    before = {rule: clock["started_at"] for rule, clock in county.clocks(ours).items()}
    county.refer(ours, "city")
    county.carry()
    city.desk.levels.act("accept", city.came()["id"], {}, "chen")
    city.carry()
    county.desk.work.act("drop", ours, {"task": "all", "reason": "由市里办理"}, "li")
    county.desk.act("close", ours, {"reason": "市里办理"}, "li")
    assert county.clocks(ours) == {}
    county.desk.act("reopen", ours, {"reason": "又有新情况"}, "li")
    assert {rule: clock["started_at"] for rule, clock in county.clocks(ours).items()} == before
    county.refer(ours, "city")
    county.verified()


def test_only_the_clocks_that_are_named_are_taken_over(light: Pair) -> None:
    county, city = light.county, light.city
    ours = county.opened()
    rules = list(county.clocks(ours))
    county.refer(ours, "city")
    county.carry()
    came = city.came()
    with pytest.raises(Exception, match="可接的有"):
        city.desk.levels.act("accept", came["id"], {"clocks": "no_such"}, "chen")
    city.desk.levels.act("accept", came["id"], {"clocks": rules[0]}, "chen")
    city.carry()
    left = county.clocks(ours)
    assert set(left) == set(rules[1:])
    assert {clock["ended_at"] for clock in left.values()} == {None}


def test_nothing_is_handed_to_two_at_once_nor_answered_twice(light: Pair) -> None:
    county, city = light.county, light.city
    ours = county.opened()
    county.refer(ours, "city")
    with pytest.raises(Exception, match="不能再移交"):
        county.refer(ours, "city")
    with pytest.raises(Exception, match="没有邻居 “cty”，是不是"):
        county.refer(ours, "cty")
    county.carry()
    came = city.came()
    city.desk.levels.act("accept", came["id"], {}, "chen")
    with pytest.raises(Exception, match="无须再办"):
        city.desk.levels.act("accept", came["id"], {}, "li")
    with pytest.raises(Exception, match="须由对方接收"):
        county.desk.levels.act("accept", county.referrals(ours)[0]["id"], {}, "chen")


def test_the_command_line_refers_lists_accepts_and_returns(light: Pair) -> None:
    def cli(town: Town, *line: str) -> Any:
        env = ENVIRON | {"HUIYING_LEVELS_KEY": town.key}
        done = CliRunner().invoke(app, [*line, "--site", str(town.house.site.directory), "--json"], env=env)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    ours = light.county.opened()
    made = cli(light.county, "refer", ours, "--by", "li", "--to", "临江市", "--why", "请市里办理")
    assert made["referrals"][0]["state"] == "sent"
    light.county.carry()
    came = cli(light.city, "levels")["referrals"][0]
    assert cli(light.city, "accept", came["id"][:10], "--by", "chen")["state"] == "accepted"
    assert cli(light.city, "return", came["id"][:10], "--by", "li", "--why", "属县里")["state"] == "returned"
    listed = cli(light.city, "neighbour", "list")
    assert listed["neighbours"][0]["id"] == "county"
    assert len(listed["public_key"]) == 44


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"neighbours": [{"id": "a", "name": "甲", "relation": "upper", "url": "https://a.example.gov.cn",
                          "public_key": "short"}]}, "不是公钥"),
        ({"neighbours": [{"id": "a", "name": "甲", "relation": "upper", "url": "https://a.example.gov.cn",
                          "public_key": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}]}, "还缺 levels"),
        ({"levels": {"id": "x", "private_key": "in the file itself"}}, "不能直接写在文件里"),
    ],
)  # fmt: skip
def test_a_site_that_names_its_neighbours_wrongly_is_refused_in_words(
    tmp_path: Path, more: dict[str, Any], words: str
) -> None:
    with pytest.raises(Problems, match=words):
        load_site(write_site(tmp_path / "site", "http://127.0.0.1:9", site=more), ENVIRON)
