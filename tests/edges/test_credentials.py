"""Passwords, second factors and random secrets, as argon2, RFC 6238 and an authenticator app know them."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree

import pyotp
import pytest

from connectors import credentials
from connectors.credentials import Cost, Passwords
from connectors.ports import Unreachable

CHEAP = Cost(1, 8, 1)
RFC = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""The secret of RFC 6238's test vectors, in base32."""


class Counting(Passwords):
    """Counts how often a hash was really computed."""

    worked = 0

    def _matches(self, hashed: str, password: str) -> bool:
        self.worked += 1
        return super()._matches(hashed, password)


def test_a_password_is_known_again_and_no_other_is() -> None:
    passwords = Passwords(CHEAP)
    hashed = passwords.hash("four words of a song")
    assert hashed.startswith("$argon2id$")
    assert passwords.check(hashed, "four words of a song").right
    assert not passwords.check(hashed, "four words of a tune").right
    assert passwords.hash("four words of a song") != hashed


def test_an_account_that_is_not_there_costs_the_same_work_and_is_never_right() -> None:
    passwords = Counting(CHEAP)
    known = passwords.hash("four words of a song")
    passwords.check(known, "wrong")
    assert passwords.worked == 1
    assert not passwords.check(None, "wrong").right
    assert passwords.worked == 2


def test_when_too_many_wait_the_next_is_told_so_at_once_and_the_others_go_on() -> None:
    crowded = Passwords(CHEAP, most=0)
    with pytest.raises(Unreachable, match="过一会儿"):
        crowded.check(None, "anything")
    patient = Passwords(CHEAP, most=1)
    assert [patient.check(None, "anything").right for _ in range(3)] == [False] * 3


@pytest.mark.parametrize(
    "hashed", ["", "plain", "$argon2id$v=19$m=8,t=1,p=1$broken", "$2b$12$bcryptbcryptbcrypt"]
)
def test_a_hash_that_is_none_is_a_no_and_never_a_fault(hashed: str) -> None:
    assert not Passwords(CHEAP).check(hashed, "anything").right


def test_a_right_password_is_hashed_anew_when_the_cost_has_changed_and_a_wrong_one_is_not() -> None:
    old = Passwords(CHEAP).hash("four words of a song")
    dearer = Passwords(Cost(2, 16, 1))
    assert dearer.check(old, "wrong").rehashed is None
    renewed = dearer.check(old, "four words of a song").rehashed
    assert renewed is not None
    assert "m=16,t=2,p=1" in renewed
    assert dearer.check(renewed, "four words of a song").rehashed is None


@pytest.mark.parametrize(
    ("at", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_codes_are_those_of_rfc_6238(at: int, code: str) -> None:
    step = credentials.matching_step(RFC, code, datetime.fromtimestamp(at, UTC))
    assert step == at // 30


@pytest.mark.parametrize(("off", "taken"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_phones_clock_may_be_half_a_minute_off(off: int, taken: bool) -> None:
    now = datetime(2026, 11, 21, 2, 13, 15, tzinfo=UTC)
    code = pyotp.TOTP(RFC).at(int(now.timestamp()) + off)
    assert (credentials.matching_step(RFC, code, now) is not None) is taken


@pytest.mark.parametrize("code", ["", "28708", "２８７０８２", "287 082 1", "\udcff", "x" * 5000])
def test_what_is_no_code_is_a_no_and_never_a_fault(code: str) -> None:
    assert credentials.matching_step(RFC, code, datetime.fromtimestamp(59, UTC)) is None


def test_a_code_may_be_typed_with_a_blank_in_the_middle() -> None:
    assert credentials.matching_step(RFC, "287 082", datetime.fromtimestamp(59, UTC)) == 1


def test_random_secrets_are_long_and_never_the_same() -> None:
    made = {credentials.fresh(credentials.TOKEN) for _ in range(100)}
    assert len(made) == 100
    assert all(one.startswith("huiying_") and len(one) >= 8 + 43 for one in made)
    assert len({code for _ in range(10) for code in credentials.recovery_codes()}) == 100


def test_a_written_down_code_may_be_typed_in_capitals_with_blanks() -> None:
    code = credentials.recovery_codes()[0]
    assert credentials.recovery_digest(f" {code.upper()} ") == credentials.recovery_digest(code)


def test_the_picture_of_a_second_factor_is_plain_svg_without_script_or_links() -> None:
    drawn = credentials.picture(RFC, "chen", "临江市政府办公室")
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(drawn).iter()}
    assert tags <= {"svg", "path", "g"}
    assert b"http" not in drawn.replace(b"http://www.w3.org/2000/svg", b"")
