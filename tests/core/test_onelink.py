"""One-use links: only what this site has signed is read, and a judgement says what it is worth."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.onelink import (
    LONGEST,
    VALID,
    Forged,
    Grant,
    Known,
    LinkAct,
    LinkState,
    granted,
    judge,
    read,
    token,
)

KEY = bytes(range(32))
RAISED = datetime(2026, 11, 21, 2, 13, 0, 123_000, tzinfo=UTC)
ALERT = "0123456789abcdef0123456789abcdef"
GRANT = granted(ALERT, "chen", RAISED)

people = st.text(alphabet=string.ascii_lowercase + "_-陈值班", min_size=1, max_size=12)
alerts = st.binary(min_size=16, max_size=16).map(bytes.hex)
moments = st.integers(1_600_000_000, 4_000_000_000).map(lambda at: datetime.fromtimestamp(at, tz=UTC))


@given(alerts, people, moments)
def test_what_was_signed_is_read_again(alert: str, person: str, until: datetime) -> None:
    grant = Grant(alert, person, LinkAct.ACK, until)
    assert read(KEY, token(KEY, grant)) == grant


@given(st.integers(0, 400), st.integers(1, 63))
def test_a_token_with_any_bit_changed_is_forged(place: int, change: int) -> None:
    text = token(KEY, GRANT)
    letters = string.ascii_letters + string.digits + "-_"
    at = place % len(text)
    other = letters[(letters.index(text[at]) + change) % 64]
    changed = text[:at] + other + text[at + 1 :]
    if read_or_none(changed) is not None:  # the last letter carries bits that say nothing
        assert read_or_none(changed) == GRANT
        assert at == len(text) - 1


def read_or_none(text: str) -> Grant | None:
    try:
        return read(KEY, text)
    except Forged:
        return None


@given(st.text(max_size=LONGEST + 20))
def test_whatever_else_comes_is_forged_and_never_an_error_of_another_kind(text: str) -> None:
    with pytest.raises(Forged):
        read(KEY, text)


@given(st.integers(0, 90))
def test_a_token_cut_short_is_forged(length: int) -> None:
    whole = token(KEY, GRANT)
    with pytest.raises(Forged):
        read(KEY, whole[: min(length, len(whole) - 1)])


def test_another_sites_token_is_forged() -> None:
    with pytest.raises(Forged):
        read(bytes(32), token(KEY, GRANT))


def test_the_signature_is_bound_to_the_person_and_the_alert() -> None:
    theirs = token(KEY, Grant(ALERT, "li", LinkAct.ACK, GRANT.until))
    assert theirs != token(KEY, GRANT)
    assert theirs[-20:] != token(KEY, GRANT)[-20:]


def test_a_link_counts_for_a_day_from_the_alert_so_that_a_resend_carries_the_same() -> None:
    assert GRANT.until == (RAISED + VALID).replace(microsecond=0)
    assert timedelta(hours=24) >= VALID
    assert token(KEY, granted(ALERT, "chen", RAISED)) == token(KEY, GRANT)


def test_a_token_is_short_enough_for_a_text_message() -> None:
    assert len(token(KEY, GRANT)) <= 60


def test_an_alert_of_another_form_gets_no_token() -> None:
    with pytest.raises(ValueError, match="no id"):
        token(KEY, Grant("0123", "chen", LinkAct.ACK, GRANT.until))


FRESH = Known("chen", None, closed=False, counts=True)
DONE = Known("chen", RAISED, closed=True, counts=True)


@pytest.mark.parametrize(
    ("known", "visitor", "later", "state"),
    [
        (FRESH, "", timedelta(0), LinkState.READY),
        (FRESH, "chen", timedelta(hours=23), LinkState.READY),
        (FRESH, "", VALID, LinkState.EXPIRED),
        (FRESH, "li", timedelta(0), LinkState.OTHER),
        (DONE, "", timedelta(days=9), LinkState.DONE),
        (Known("chen", None, closed=True, counts=True), "", timedelta(0), LinkState.CLOSED),
        (Known("chen", None, closed=False, counts=False), "", timedelta(0), LinkState.GONE),
        (Known("li", None, closed=False, counts=True), "", timedelta(0), LinkState.FORGED),
    ],
)
def test_a_link_is_worth_what_the_ledger_knows(
    known: Known, visitor: str, later: timedelta, state: LinkState
) -> None:
    assert judge(GRANT, known, RAISED + later, visitor) is state


@given(
    st.sampled_from(["chen", "li"]),
    st.sampled_from([None, RAISED]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 200),
    st.sampled_from(["", "chen", "li"]),
)
def test_a_link_is_ready_only_when_nothing_speaks_against_it(
    person: str, done: datetime | None, closed: bool, counts: bool, hours: int, visitor: str
) -> None:
    now = RAISED + timedelta(hours=hours)
    state = judge(GRANT, Known(person, done, closed, counts), now, visitor)
    fit = person == "chen" and done is None and not closed and counts and hours < 24 and visitor != "li"
    assert (state is LinkState.READY) == fit
