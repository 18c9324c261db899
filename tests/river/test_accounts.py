"""Accounts over real HTTP on a real site: signing in, staying in, being put out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pyotp
import pytest

from connectors.console.desks.access import NoEntry
from connectors.credentials import digest
from flows.office import accounts as rooms
from models.core.access import Place
from models.core.moment import iso
from models.ledger import accounts, sessions
from models.ledger.verify import verify
from support.accounts import CHEAP, CROSS, PASSWORD, Browser, SigningSite, signing_site
from support.cli import Cli
from support.sites import write_site

HOME = Place("127.0.0.1")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[SigningSite]:
    with signing_site(tmp_path, {"tries_per_address": 1000, "acts_per_minute": 1000}) as running:
        running.account("root", "admin")
        running.account("chen", "officer", person="chen")
        running.account("li", "manager", person="li")
        yield running


def _open(office: SigningSite, title: str = "望江路塌陷") -> str:
    done = office.desk.act("open", "", {"title": title, "grade": "III", "reason": "热线"}, "chen")
    return str(done["id"])


# ── in ────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_read_before_signing_in_and_the_way_back_is_kept(office: SigningSite) -> None:
    number, browser = _open(office), office.browser()
    for path in ("/", f"/incidents/{number}", "/mine", "/audit", "/accounts", "/api/docs", "/nothing"):
        answer = browser.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/login?back="), path
        assert "望江路" not in answer.text
    for path in ("/api/v1/board", f"/api/v1/incidents/{number}", "/api/openapi.json", "/api/v1/nothing"):
        answer = browser.get(path)
        assert (answer.status_code, "error" in answer.json()) == (401, True), path
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert browser.get("/healthz").status_code == 200
    assert browser.get("/readyz").status_code in (200, 503)
    assert browser.get("/static/huiying.css").status_code == 200
    done = browser.sign_in("chen", back=f"/incidents/{number}")
    assert (done.status_code, done.headers["location"]) == (303, f"/incidents/{number}")
    assert "望江路塌陷" in browser.get(f"/incidents/{number}").text


def test_the_cookie_is_not_for_scripts_nor_for_other_sites(office: SigningSite) -> None:
    cookie = office.browser().sign_in("chen").headers["set-cookie"].lower()
    for part in ("httponly", "samesite=lax", "path=/", "max-age="):
        assert part in cookie, part


def test_over_https_the_cookie_is_bound_to_the_host_and_the_site_asks_for_https_ever_after(
    office: SigningSite,
) -> None:
    proxied = {"x-forwarded-proto": "https"}
    answer = office.browser().post("/login", {"name": "chen", "password": PASSWORD}, headers=proxied)
    assert answer.headers["set-cookie"].startswith("__Host-huiying_session=")
    assert "secure" in answer.headers["set-cookie"].lower()
    assert "max-age" in answer.headers["strict-transport-security"]
    assert "strict-transport-security" not in office.browser().get("/login").headers


def test_unknown_names_and_wrong_passwords_get_the_same_words_and_the_same_work(office: SigningSite) -> None:
    told = [
        _words(office.browser().sign_in(*said)) for said in (("nobody", PASSWORD), ("chen", "something else"))
    ]
    assert told[0] == told[1]
    with office.desk.house.store.read() as conn:
        tried = sessions.attempts(conn)
    assert [(row.account, row.why) for row in tried] == [("chen", "password"), (None, "unknown")]


def _words(answer: httpx.Response) -> str:
    assert answer.status_code == 401
    found = re.search(r'id="wrong">(.*?)</p>', answer.text)
    assert found is not None
    return found[1]


def test_a_session_that_was_planted_before_signing_in_is_worth_nothing_after(office: SigningSite) -> None:
    browser = office.browser()
    browser.web.cookies.set("huiying_session", "planted-by-somebody-else")
    browser.sign_in("chen")
    assert "planted" not in (new := browser.web.cookies.get("huiying_session", domain="127.0.0.1") or "")
    assert len(new) >= 43  # 256 bits
    thief = office.browser()
    thief.web.cookies.set("huiying_session", "planted-by-somebody-else")
    assert thief.get("/").status_code == 303


def test_signing_in_again_ends_the_session_that_this_browser_held(office: SigningSite) -> None:
    browser = office.signed_in("chen")
    before = browser.session
    browser.sign_in("li")
    old = office.browser()
    old.web.cookies.set("huiying_session", before)
    assert old.get("/").status_code == 303


@pytest.mark.parametrize(
    "back",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example"],
)
def test_the_way_back_never_leads_to_another_site(office: SigningSite, back: str) -> None:
    assert office.browser().sign_in("chen", back=back).headers["location"] == "/"
    signed_in = office.signed_in("chen")
    assert signed_in.get("/login", params={"back": back}).headers["location"] == "/"


# ── locked out ────────────────────────────────────────────────────────────────────────────────


def test_after_five_wrong_passwords_the_right_one_waits_too_and_longer_each_time(office: SigningSite) -> None:
    for _ in range(5):
        office.browser().sign_in("chen", "not the right one")
    assert office.browser().sign_in("chen").status_code == 401
    office.wall.forward(seconds=31)
    office.browser().sign_in("chen", "not the right one")  # the sixth: a minute
    office.wall.forward(seconds=31)
    assert office.browser().sign_in("chen").status_code == 401
    office.wall.forward(seconds=31)
    assert office.browser().sign_in("chen").status_code == 303
    assert office.kinds().count("account_locked") == 2


def test_a_locked_account_shuts_nobody_out_who_is_in_and_an_administrator_opens_it(
    office: SigningSite,
) -> None:
    inside = office.signed_in("chen")
    for _ in range(5):
        office.browser().sign_in("chen", "not the right one")
    assert inside.get("/").status_code == 200
    office.change("enable", "chen")
    assert office.browser().sign_in("chen").status_code == 303


def test_guesses_that_are_sent_at_once_are_counted_one_by_one(office: SigningSite) -> None:
    def guess(number: int) -> int:
        return (
            office.browser()
            .sign_in("chen", PASSWORD if number == 19 else f"guess number {number}")
            .status_code
        )

    with ThreadPoolExecutor(8) as together:
        list(together.map(guess, range(20)))
    with office.desk.house.store.read() as conn:
        row = accounts.get(conn, "chen")
        counted = [one for one in sessions.attempts(conn) if one.why == "password"]
    assert row.failures == len(counted) == 5


def test_one_address_may_not_try_for_ever(tmp_path: Path) -> None:
    with signing_site(tmp_path, {"tries_per_address": 5}) as office:
        browser = office.browser()
        codes = [browser.sign_in(f"name{number}").status_code for number in range(6)]
        assert codes == [401] * 5 + [429]
        assert browser.sign_in("name").headers["retry-after"] == "600"  # the whole ten minutes of the limit


def test_opening_the_form_is_no_try_so_that_nobody_is_shut_out_by_links_to_it(tmp_path: Path) -> None:
    with signing_site(tmp_path, {"tries_per_address": 5}) as office:
        office.account("chen", "officer", person="chen")
        for _ in range(6):
            assert office.browser().get("/login", params={"back": "/mine"}).status_code == 200
        assert office.browser().sign_in("chen").status_code == 303


def test_acts_of_one_session_are_limited_and_say_when_to_try_again(tmp_path: Path) -> None:
    with signing_site(tmp_path, {"acts_per_minute": 10}) as office:
        office.account("chen", "officer", person="chen")
        browser = office.signed_in("chen")
        codes = [browser.post("/incidents/none/acts/ack").status_code for _ in range(11)]
        assert codes == [404] * 10 + [429]
        answer = browser.post("/incidents/none/acts/ack")
        assert int(answer.headers["retry-after"]) > 0
        assert browser.get("/").status_code == 200  # looking is free


# ── staying in, being put out ─────────────────────────────────────────────────────────────────


def test_a_session_ends_when_nobody_uses_it_and_after_its_longest_time(office: SigningSite) -> None:
    browser = office.signed_in("chen")
    for _ in range(13):
        office.wall.forward(hours=11)
        assert browser.get("/").status_code == 200
    office.wall.forward(hours=26)  # used all week, and yet seven days are enough
    assert browser.get("/").status_code == 303
    browser = office.signed_in("chen")
    office.wall.forward(hours=12)
    assert browser.get("/").status_code == 303


def test_looking_costs_a_write_at_most_once_a_minute(office: SigningSite) -> None:
    browser = office.signed_in("chen")
    began = _seen(office)
    office.wall.forward(seconds=59)
    browser.get("/")
    assert _seen(office) == began
    office.wall.forward(seconds=2)
    browser.get("/")
    assert _seen(office) == began + timedelta(seconds=61)


def _seen(office: SigningSite) -> datetime:
    with office.desk.house.store.read() as conn:
        seen: datetime = sessions.of(conn, "chen", office.wall())[0].seen_at
    return seen


def test_signing_out_ends_the_session_itself_and_not_only_the_cookie(office: SigningSite) -> None:
    browser = office.signed_in("chen")
    kept = browser.session
    assert browser.post("/logout").headers["location"] == "/login?left=1"
    browser.web.cookies.set("huiying_session", kept)
    assert browser.get("/").status_code == 303


def test_a_session_can_be_seen_and_ended_from_another_device(office: SigningSite) -> None:
    lost, here = office.signed_in("chen"), office.signed_in("chen")
    page = here.get("/account").text
    number = re.search(r'name="session" value="(\w+)"', page)
    assert number is not None
    assert here.post("/account/acts/session_end", {"session": number[1]}).status_code == 303
    assert lost.get("/").status_code == 303
    assert here.get("/").status_code == 200


def test_nobody_ends_the_session_of_another_account(office: SigningSite) -> None:
    chen, li = office.signed_in("chen"), office.signed_in("li")
    assert li.post("/account/acts/session_end", {"session": digest(chen.session)[:16]}).status_code == 404
    assert chen.get("/").status_code == 200


@pytest.mark.parametrize(
    ("act", "params"),
    [("disable", {}), ("roles", {"roles": "auditor"}), ("password", {"password": "another long phrase"})],
)
def test_whoever_is_disabled_or_changed_is_out_at_once(
    office: SigningSite, act: str, params: dict[str, str]
) -> None:
    browser, token = office.signed_in("chen"), office.token("chen")
    office.change(act, "chen", **params)
    assert browser.get("/").status_code == 303
    if act == "disable":
        assert office.with_token(token).get("/api/v1/board").status_code == 401
        assert office.browser().sign_in("chen").status_code == 401


def test_the_last_administrator_can_neither_be_disabled_nor_demoted(office: SigningSite) -> None:
    from connectors.console.desk import Refusal

    for act, params in (("disable", {}), ("roles", {"roles": "officer"})):
        with pytest.raises(Refusal, match="最后一个管理员"):
            office.change(act, "root", **params)
    office.account("second", "admin")
    office.change("disable", "root")


# ── the password ──────────────────────────────────────────────────────────────────────────────


def test_a_new_password_ends_every_other_session_and_changes_the_secret_of_this_one(
    office: SigningSite,
) -> None:
    other, here = office.signed_in("chen"), office.signed_in("chen")
    before, new = here.session, "a different long phrase"
    answer = here.post("/account/acts/password", {"old": PASSWORD, "new": new, "again": new})
    assert answer.status_code == 303
    assert here.session != before
    assert here.get("/").status_code == 200
    assert other.get("/").status_code == 303
    assert office.browser().sign_in("chen").status_code == 401
    assert office.browser().sign_in("chen", new).status_code == 303


@pytest.mark.parametrize(
    ("old", "new", "again", "words"),
    [
        ("wrong", "a different long phrase", "a different long phrase", "不对"),
        (PASSWORD, "short", "short", "至少 12"),
        (PASSWORD, "password123456", "password123456", "太常见"),
        (PASSWORD, "my name is chen ok", "my name is chen ok", "您的名字"),
        (PASSWORD, "a different long phrase", "another long phrase", "不同"),
    ],
)
def test_a_password_that_is_weak_or_mistyped_is_refused_in_words(
    office: SigningSite, old: str, new: str, again: str, words: str
) -> None:
    answer = office.signed_in("chen").post("/account/acts/password", {"old": old, "new": new, "again": again})
    assert answer.status_code in (401, 409)
    assert words in answer.text
    assert office.browser().sign_in("chen").status_code == 303


def test_a_password_that_somebody_else_chose_must_be_changed_before_anything_else(
    office: SigningSite,
) -> None:
    first = rooms.change(office.access, "add", "wang", {"roles": "officer", "person": "zhao"}, "li")["secret"]
    browser = office.browser()
    assert browser.sign_in("wang", first).headers["location"].startswith("/account")
    assert browser.get("/").headers["location"] == "/account"
    assert browser.get("/api/v1/board").status_code == 401
    assert browser.post("/account/acts/token_make", {"name": "x", "roles": "officer"}).status_code == 409
    same = browser.post("/account/acts/password", {"old": first, "new": first, "again": first})
    assert (same.status_code, "相同" in same.text) == (409, True)  # whoever chose it still knows it
    assert browser.get("/").headers["location"] == "/account"
    new = "a phrase of my own"
    assert browser.post("/account/acts/password", {"old": first, "new": new, "again": new}).status_code == 303
    assert browser.get("/").status_code == 200


def test_a_hash_is_renewed_at_the_next_sign_in_after_its_cost_has_changed(tmp_path: Path) -> None:
    with signing_site(tmp_path) as office:
        office.account("chen", "officer", person="chen")
        before = _hash(office)
    with signing_site(tmp_path, {"hashing": {**CHEAP, "memory_kib": 16}}) as office:
        office.signed_in("chen")
        assert "m=8," in before
        assert "m=16," in _hash(office)
        office.signed_in("chen")


def _hash(office: SigningSite) -> str:
    with office.desk.house.store.read() as conn:
        return str(accounts.get(conn, "chen").password)


def test_no_secret_stands_in_the_journal(office: SigningSite) -> None:
    office.signed_in("chen")
    token = office.token("chen")
    with office.desk.house.store.read() as conn:
        from models.ledger import journal

        told = "\n".join(row["payload"] for row in journal.entries(conn))
        hashed = accounts.get(conn, "chen").password
    for secret in (PASSWORD, hashed, token, digest(token)):
        assert secret not in told
    assert verify(office.desk.house.store, office.desk.now())["ok"]


# ── the second factor ─────────────────────────────────────────────────────────────────────────


def _enrol(office: SigningSite, browser: Browser, name: str = "chen") -> tuple[str, list[str]]:
    """Set up as a person does; the secret and the recovery codes."""
    assert browser.post("/account/acts/second_factor").status_code == 303
    picture = browser.get("/account/second-factor.svg")
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert b"<script" not in picture.content
    shown = re.search(r"<code>([A-Z2-7]{32})</code>", browser.get("/account").text)
    assert shown is not None
    secret = shown[1]
    answer = browser.post("/account/acts/second_factor_confirm", {"code": _code(office, secret)})
    assert answer.status_code == 200
    return secret, re.findall(r"<code>([\w-]{19})</code>", answer.text)


def _code(office: SigningSite, secret: str) -> str:
    return pyotp.TOTP(secret).at(office.wall())


def test_with_a_second_factor_the_password_alone_opens_nothing(office: SigningSite) -> None:
    secret, codes = _enrol(office, office.signed_in("chen"))
    assert len(codes) == 10
    office.wall.forward(seconds=60)
    browser = office.browser()
    assert browser.sign_in("chen").headers["location"].startswith("/login/code")
    half = browser.session
    assert browser.get("/").headers["location"] == "/login/code"
    assert browser.get("/account").status_code == 303
    assert browser.get("/api/v1/board").status_code == 401
    done = browser.post("/login/code", {"code": _code(office, secret), "back": "/mine"})
    assert (done.status_code, done.headers["location"]) == (303, "/mine")
    assert browser.session != half
    assert browser.get("/").status_code == 200


def test_a_code_is_taken_once_and_so_is_a_written_down_one(office: SigningSite) -> None:
    secret, codes = _enrol(office, office.signed_in("chen"))
    assert _proves(office, _code(office, secret)) == 401  # it served to set the second factor up
    office.wall.forward(seconds=60)
    assert _proves(office, _code(office, secret)) == 303
    assert _proves(office, _code(office, secret)) == 401
    assert _proves(office, codes[0].upper()) == 303
    assert _proves(office, codes[0]) == 401
    assert "account_recovered" in office.kinds()


def _proves(office: SigningSite, code: str) -> int:
    browser = office.browser()
    browser.sign_in("chen")
    return browser.post("/login/code", {"code": code}).status_code


def test_wrong_codes_lock_the_account_as_wrong_passwords_do(office: SigningSite) -> None:
    secret, _ = _enrol(office, office.signed_in("chen"))
    office.wall.forward(seconds=60)
    for _ in range(5):
        assert _proves(office, "000000") == 401
    assert office.browser().sign_in("chen").status_code == 401
    office.wall.forward(seconds=60)
    assert _proves(office, _code(office, secret)) == 303


def test_the_wait_for_a_code_is_short(office: SigningSite) -> None:
    secret, _ = _enrol(office, office.signed_in("chen"))
    browser = office.browser()
    browser.sign_in("chen")
    office.wall.forward(minutes=6)
    assert (
        browser.post("/login/code", {"code": _code(office, secret)}).headers["location"].startswith("/login")
    )
    assert browser.get("/").status_code == 303


def test_roles_that_must_have_a_second_factor_get_nowhere_without(tmp_path: Path) -> None:
    key = {"totp_key": "${HUIYING_HOOK_SECRET}"}
    with signing_site(tmp_path, {"totp": ["admin"], **key}) as office:
        office.account("root", "admin")
        browser = office.browser()
        assert browser.sign_in("root").headers["location"].startswith("/account")
        assert browser.get("/accounts").headers["location"] == "/account"
        secret, _ = _enrol(office, browser, "root")
        assert browser.get("/accounts").status_code == 200
        assert browser.post("/account/acts/second_factor_off").status_code == 409
        with office.desk.house.store.read() as conn:
            kept = accounts.get(conn, "root").totp
        assert kept.startswith("sealed:")
        assert secret not in kept


def test_whoever_takes_their_time_over_a_second_factor_types_the_password_again_and_goes_on(
    tmp_path: Path,
) -> None:
    with signing_site(tmp_path, {"totp": ["admin"]}) as office:
        office.account("root", "admin")
        browser = office.browser()
        browser.sign_in("root")
        office.wall.forward(minutes=16)
        asked = browser.post("/account/acts/second_factor").headers["location"]
        assert asked.startswith("/login/confirm?back=")
        assert browser.get(asked).status_code == 200
        assert browser.post("/login/confirm", {"password": PASSWORD}).headers["location"] == "/account"
        assert browser.get("/accounts").headers["location"] == "/account"  # no further than before
        _enrol(office, browser, "root")
        assert browser.get("/accounts").status_code == 200


# ── what is sensitive ─────────────────────────────────────────────────────────────────────────


def test_managing_accounts_asks_for_the_password_again_after_a_quarter_of_an_hour(
    office: SigningSite,
) -> None:
    browser = office.signed_in("root")
    office.wall.forward(minutes=16)
    answer = browser.post("/accounts/chen/acts/disable")
    assert answer.headers["location"].startswith("/login/confirm?back=")
    assert browser.post("/login/confirm", {"password": "wrong", "back": "/accounts"}).status_code == 401
    before = browser.session
    done = browser.post("/login/confirm", {"password": PASSWORD, "back": "/accounts"})
    assert (done.status_code, done.headers["location"]) == (303, "/accounts")
    assert browser.session != before
    assert browser.post("/accounts/chen/acts/disable").headers["location"].startswith("/accounts?said=")
    assert office.browser().sign_in("chen").status_code == 401


def test_a_password_confirmed_twice_at_once_signs_nobody_out(office: SigningSite) -> None:
    session = office.signed_in("root").session
    who = office.access.who(session, "")
    assert who is not None
    entered = office.access.confirm(session, PASSWORD, HOME)
    with pytest.raises(NoEntry), office.desk.writing() as conn:  # the second request had looked before
        office.access.moved(conn, who.session, who.stage)
    assert office.access.who(entered.secret, "") is not None


def test_the_list_says_when_somebody_was_let_in_and_not_when_they_were_refused(office: SigningSite) -> None:
    office.browser().sign_in("chen", "not the right one")
    office.signed_in("li")
    last = {one["id"]: one["last_at"] for one in rooms.overview(office.access)["accounts"]}
    assert last["chen"] is None
    assert last["li"] == iso(office.wall())


def test_an_account_is_not_given_to_somebody_whom_the_roster_does_not_know(office: SigningSite) -> None:
    browser = office.signed_in("root")
    given = {"roles": "officer", "person": "nobody"}
    answer = browser.post("/accounts/chen/acts/roles", given)
    assert (answer.status_code, "值班表里没有 nobody" in answer.text) == (409, True)
    with office.desk.house.store.read() as conn:
        assert accounts.get(conn, "chen").person == "chen"


def test_an_administrator_opens_an_account_whose_first_password_is_shown_once(office: SigningSite) -> None:
    browser = office.signed_in("root")
    answer = browser.post(
        "/accounts", {"account": "zhao", "person": "zhao", "roles": ["officer", "reviewer"]}
    )
    first = re.search(r"<code>([\w-]{19})</code>", answer.text)
    assert first is not None
    assert first[1] not in browser.get("/accounts").text
    assert office.browser().sign_in("zhao", first[1]).headers["location"].startswith("/account")
    with office.desk.house.store.read() as conn:
        assert accounts.get(conn, "zhao").roles == ["officer", "reviewer"]


# ── acting ────────────────────────────────────────────────────────────────────────────────────


def test_an_act_is_the_signed_in_persons_whatever_cookie_or_name_is_sent(office: SigningSite) -> None:
    number, browser = _open(office), office.signed_in("chen")
    browser.web.cookies.set("huiying_person", "li")
    assert browser.post(f"/incidents/{number}/acts/ack").status_code == 303
    assert office.desk.seen(number)["acked"][0]["person"] == "chen"
    forged = browser.web.post(f"/api/v1/incidents/{number}/acts/ack", json={"by": "li"})
    assert forged.status_code == 403
    assert "陈值班" in forged.json()["error"]
    assert browser.web.post(
        f"/api/v1/incidents/{number}/acts/update", json={"by": "chen", "text": "到场"}
    ).is_success


def test_whoever_is_not_on_the_roster_cannot_act_though_a_role_allows_it(office: SigningSite) -> None:
    number = _open(office)
    office.account("guest", "officer")
    answer = office.signed_in("guest").post(f"/incidents/{number}/acts/ack")
    assert answer.status_code == 403
    assert "值班表" in answer.text


def test_a_post_with_a_session_from_another_site_or_from_nowhere_is_refused(office: SigningSite) -> None:
    number, browser = _open(office), office.signed_in("chen")
    path = f"/incidents/{number}/acts/ack"
    assert browser.post(path, headers=CROSS).status_code == 403
    bare = httpx.Client(base_url=office.url, cookies={"huiying_session": browser.session})
    with bare:
        assert bare.post(path).status_code == 403  # a browser would say where it comes from
    assert office.desk.seen(number)["acked"] == []
    assert browser.post(path).status_code == 303


def test_two_accounts_of_one_person_are_one_pair_of_eyes(office: SigningSite) -> None:
    """Four eyes are two persons': a second account does not make a second one."""
    office.account("li2", "reviewer", person="li")
    number = _open(office)
    browser = office.signed_in("li")
    path = f"/api/v1/incidents/{number}/statements"
    made = browser.web.post(path, json={"title": "情况通报", "text": "望江路发生塌陷，现场已封闭。"})
    assert made.status_code == 201, made.text
    draft = made.json()["id"]
    asked = {"reviewers": "li,zhao,zhou", "secrecy": "zhao", "facts_reason": "已核对"}
    refused = browser.web.post(f"/api/v1/statements/{draft}/acts/submit", json=asked)
    assert refused.status_code == 409
    assert "li 起草" in refused.json()["error"]


# ── tokens ────────────────────────────────────────────────────────────────────────────────────


def test_a_token_acts_for_its_owner_with_no_more_than_it_was_given(office: SigningSite) -> None:
    number = _open(office)
    office.change("roles", "li", roles="manager,auditor")
    program = office.with_token(office.token("li", "auditor"))
    assert program.get("/api/v1/board").status_code == 200
    assert program.post(f"/api/v1/incidents/{number}/acts/ack", json={}).status_code == 403
    acting = office.with_token(office.token("li", "manager"))
    assert acting.post(f"/api/v1/incidents/{number}/acts/ack", json={"by": "chen"}).status_code == 403
    assert acting.post(f"/api/v1/incidents/{number}/acts/ack", json={}).status_code == 200
    assert office.desk.seen(number)["acked"][0]["person"] == "li"
    assert acting.get("/account").status_code == 403  # a program is nobody at a browser


def test_a_token_loses_what_its_owner_loses(office: SigningSite) -> None:
    program, number = office.with_token(office.token("li")), _open(office)
    office.change("roles", "li", roles="auditor")
    assert program.post(f"/api/v1/incidents/{number}/acts/ack", json={}).status_code == 403


def test_a_token_ends_at_its_day_and_when_it_is_revoked(office: SigningSite) -> None:
    short, other = office.token("chen", days=1), office.token("chen")
    assert office.with_token(short).get("/api/v1/board").status_code == 200
    office.wall.forward(days=1)
    assert office.with_token(short).get("/api/v1/board").status_code == 401
    page = office.signed_in("chen")
    revoke = re.findall(r'name="token" value="(\w+)"', page.get("/account").text)
    for number in revoke:
        page.post("/account/acts/token_revoke", {"token": number})
    assert office.with_token(other).get("/api/v1/board").status_code == 401
    assert "token_revoked" in office.kinds()


def test_a_token_is_made_on_the_page_and_shown_once(office: SigningSite) -> None:
    browser = office.signed_in("chen")
    none = browser.post("/account/acts/token_make", {"name": "热线系统"})
    assert (none.status_code, "勾选" in none.text, "huiying_" in none.text) == (409, True, False)
    said = {"name": "热线系统", "days": "30", "roles": ["officer", "admin"]}
    answer = browser.post("/account/acts/token_make", said)
    token = re.search(r"huiying_[\w-]{43}", answer.text)
    assert token is not None
    assert token[0] not in browser.get("/account").text
    assert office.with_token(token[0]).get("/api/v1/board").status_code == 200
    assert (
        office.with_token(token[0]).get("/accounts").status_code == 403
    )  # an officer's is no administrator's


# ── whose incidents ───────────────────────────────────────────────────────────────────────────


def test_an_account_of_one_unit_sees_and_acts_on_its_own_and_on_what_nobody_owns(tmp_path: Path) -> None:
    with signing_site(tmp_path) as office:
        office.account("li", "manager", person="li")
        office.account("unit", "officer", person="chen", units=["office"])
        ours, others, free = (_open(office, title) for title in ("本单位的事", "别处的事", "还没有人管的事"))
        office.desk.act("assign", ours, {"unit": "office"}, "li")
        office.desk.act("assign", others, {"unit": "市应急管理局"}, "li")
        browser = office.signed_in("unit")
        board = browser.get("/").text
        for page in (board, browser.get("/api/v1/board").text):
            assert "本单位的事" in page
            assert "还没有人管的事" in page
            assert "别处的事" not in page
        for path in ("", "/work", "/statements", "/mood"):
            assert browser.get(f"/incidents/{others}{path}").status_code == 403, path
            assert browser.get(f"/incidents/{ours}{path}").status_code == 200, path
        assert browser.get(f"/api/v1/incidents/舆-{others}").status_code == 403
        assert browser.post(f"/incidents/{others}/acts/ack").status_code == 403
        assert browser.post(f"/incidents/{free}/acts/ack").status_code == 303
        merged = browser.post(f"/incidents/{ours}/acts/merge", {"into": others})
        assert merged.status_code == 409
        assert "不归您的单位" in merged.text
        for path in ("/reports", "/handover", "/registers"):
            assert browser.get(path).status_code == 403, path


def test_an_auditor_who_is_also_an_officer_of_one_unit_sees_all_and_acts_on_its_own_alone(
    tmp_path: Path,
) -> None:
    with signing_site(tmp_path) as office:
        office.account("li", "manager", person="li")
        office.account("both", "officer", "auditor", person="chen", units=["office"])
        ours, others = (_open(office, title) for title in ("本单位的事", "别处的事"))
        office.desk.act("assign", ours, {"unit": "office"}, "li")
        office.desk.act("assign", others, {"unit": "市应急管理局"}, "li")
        browser = office.signed_in("both")
        assert browser.get(f"/incidents/{others}").status_code == 200
        assert "别处的事" in browser.get("/").text
        assert browser.post(f"/incidents/{others}/acts/ack").status_code == 403
        assert browser.post(f"/incidents/{ours}/acts/merge", {"into": others}).status_code == 409
        assert browser.post("/handover/log/acts/note", {"text": "全站的"}).status_code == 403
        assert browser.post(f"/incidents/{ours}/acts/ack").status_code == 303
        assert browser.post("/audit/export").status_code != 403
        assert "不归您的单位" in str(office.access.may_person("chen", "act.ack", others))
        assert office.access.may_person("chen", "see", others) is None


def test_a_statement_by_its_number_cut_short_is_kept_from_other_units_too(tmp_path: Path) -> None:
    with signing_site(tmp_path) as office:
        office.account("unit", "officer", person="chen", units=["office"])
        others = _open(office, "别处的事")
        office.desk.act("assign", others, {"unit": "市应急管理局"}, "li")
        content = {"title": "情况说明", "text": "别处的口径。", "outlet.website": "on"}
        number = office.desk.statements.draft(others, content, "li")["id"]
        browser = office.signed_in("unit")
        for said in (number, number[:8], number[:1], f"%20{number[:8]}"):
            for path in (f"/statements/{said}", f"/api/v1/statements/{said}", f"/statements/{said}/package"):
                answer = browser.get(path)
                assert (answer.status_code, "别处" in answer.text) == (403, False), path
            assert browser.post(f"/statements/{said}/acts/discard", {"reason": "试"}).status_code == 403


def test_the_whole_way_is_the_same_on_both_databases(tmp_path: Path, database_url: str) -> None:
    with signing_site(tmp_path, database=database_url) as office:
        office.account("root", "admin")
        office.account("li", "manager", person="li", units=["office"])
        number = _open(office)
        _, codes = _enrol(office, office.signed_in("li"), "li")
        browser = office.browser()
        browser.sign_in("li")
        assert browser.post("/login/code", {"code": codes[0]}).status_code == 303
        assert browser.post(f"/incidents/{number}/acts/ack").status_code == 303
        assert "望江路" in browser.get("/").text
        program = office.with_token(office.token("li"))
        assert program.get(f"/api/v1/incidents/{number}").status_code == 200
        office.change("disable", "li")
        assert browser.get("/").status_code == 303
        assert program.get("/api/v1/board").status_code == 401
        assert verify(office.desk.house.store, office.desk.now())["ok"]


# ── the command line ──────────────────────────────────────────────────────────────────────────


def test_the_first_administrator_is_made_at_the_machine_with_a_password_nobody_sees(tmp_path: Path) -> None:
    with signing_site(tmp_path) as office:
        cli = Cli(tmp_path / "site")
        made = cli.json(
            "account", "add", "root", "--role", "admin", "--password-stdin", stdin=f"{PASSWORD}\n"
        )
        assert made["account"] == "root"
        assert PASSWORD not in str(made)
        assert office.browser().sign_in("root").status_code == 303
        assert cli("account", "add", "root", "--role", "admin", "--generate").code == 1
        assert "没有角色" in cli("account", "add", "x1", "--role", "king", "--generate").err
        assert (
            "至少 12" in cli("account", "add", "x2", "--role", "admin", "--password-stdin", stdin="abc\n").err
        )


def test_the_command_line_manages_accounts_and_says_who_signed_in(tmp_path: Path) -> None:
    with signing_site(tmp_path) as office:
        cli = Cli(tmp_path / "site")
        secret = cli.json("account", "add", "chen", "--person", "chen", "--role", "officer", "--generate")[
            "secret"
        ]
        browser = office.browser()
        browser.sign_in("chen", secret)
        cli.json("account", "role", "chen", "--role", "officer", "--role", "reviewer", "--by", "li")
        cli.json("account", "units", "chen", "--unit", "市政府办公室")
        assert browser.get("/account").status_code == 303  # signed out by the change
        token = cli.json("account", "token", "chen", "--name", "热线")
        assert office.with_token(token["secret"]).get("/api/v1/board").status_code == 200
        cli.json("account", "token", "chen", "--revoke", token["token"])
        assert office.with_token(token["secret"]).get("/api/v1/board").status_code == 401
        (row,) = cli.json("account", "list")["accounts"]
        assert (row["roles"], row["units"], row["tokens"]) == (["officer", "reviewer"], ["office"], 0)
        (tried,) = cli.json("account", "sessions", "chen")["sign_ins"]
        assert (tried["ok"], tried["account"]) == (True, "chen")
        assert cli("account", "disable", "chen", "--reason", "调离").code == 0
        assert office.with_token(token["secret"]).get("/api/v1/board").status_code == 401
        assert cli("verify").code == 0


# ── the door itself ───────────────────────────────────────────────────────────────────────────


def test_a_console_that_others_reach_without_accounts_is_told_loudly(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", site={"console": {"host": "0.0.0.0"}})
    cli = Cli(site)
    for said in (cli("lint", str(site)), cli("doctor")):
        assert "谁连得上，谁就能以任何人的名义操作" in said.out + said.err
        assert "huiying account add" in said.out + said.err
    coverage = {item["name"]: item for item in cli.json("board")["coverage"]["items"]}
    assert coverage["access"]["state"] == "warn"


def test_on_ones_own_machine_nothing_is_said_of_accounts(tmp_path: Path) -> None:
    cli = Cli(write_site(tmp_path / "site", "http://127.0.0.1:9"))
    assert "access" not in {item["name"] for item in cli.json("board")["coverage"]["items"]}
    assert "账号" not in cli("lint", str(tmp_path / "site")).out


def test_accounts_without_an_administrator_and_of_people_who_have_left_are_told(tmp_path: Path) -> None:
    with signing_site(tmp_path) as office:
        office.account("chen", "officer", person="chen")
        cli = Cli(tmp_path / "site")
        assert "还没有管理员" in _access_item(cli)["detail"]
        office.account("root", "admin")
        assert _access_item(cli)["state"] == "ok"
        roster = tmp_path / "site" / "roster.yaml"
        told = json.loads(roster.read_text(encoding="utf-8"))
        told["people"] = [one for one in told["people"] if one["id"] != "chen"]
        told["ladder"] = told["ladder"][1:]
        roster.write_text(json.dumps(told), encoding="utf-8")
        assert "账号 chen 对应的人不在值班表上了" in _access_item(cli)["detail"]


def _access_item(cli: Cli) -> dict[str, str]:
    items = cli.json("board")["coverage"]["items"]
    return next(item for item in items if item["name"] == "access")
