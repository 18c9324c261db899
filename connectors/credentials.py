"""What proves who somebody is: passwords (argon2id), second factors (TOTP), random secrets.

The only home of argon2, pyotp and segno. Nothing here keeps or logs what it is given.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import BoundedSemaphore, Semaphore

import pyotp
import segno
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from connectors.ports import Unreachable

TOKEN = "huiying_"
"""Before every token, so that a leaked one is recognised."""
RECOVERY = 10
"""Codes for the day when the phone is lost."""
STEP_S = 30
_AROUND = 1
"""Steps that a phone's clock may be off, either way."""
_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Cost:
    """What a hash costs: passes, KiB, lanes (RFC 9106)."""

    time_cost: int = 3
    memory_kib: int = 65_536
    parallelism: int = 4


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether the password was right, and its hash by today's cost when that has changed."""

    right: bool
    rehashed: str | None = None


@dataclass
class Passwords:
    """Hashes and checks. Thread-safe; at most two at once and `most` with those who wait, so that a flood of
    sign-ins takes neither the memory nor the threads that the board needs."""

    cost: Cost = field(default_factory=Cost)
    most: int = 10

    def __post_init__(self) -> None:
        self._hasher = PasswordHasher(self.cost.time_cost, self.cost.memory_kib, self.cost.parallelism)
        self._turns, self._queue = BoundedSemaphore(_AT_ONCE), Semaphore(self.most)
        self._nobody = self._hasher.hash(secrets.token_hex())

    def hash(self, password: str) -> str:
        with self._turn():
            return self._hasher.hash(password)

    def check(self, hashed: str | None, password: str) -> Checked:
        """`hashed` None (no such account): the same work for the same answer, no."""
        with self._turn():
            right = self._matches(hashed or self._nobody, password) and hashed is not None
            stale = right and hashed is not None and self._hasher.check_needs_rehash(hashed)
            return Checked(right, self._hasher.hash(password) if stale else None)

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (Argon2Error, InvalidHashError):
            return False

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Raises Unreachable when too many wait."""
        if not self._queue.acquire(blocking=False):
            raise Unreachable("登录的人太多；请过一会儿再试", reached=False)
        try:
            with self._turns:
                yield
        finally:
            self._queue.release()


# ── random secrets ────────────────────────────────────────────────────────────────────────────


def fresh(prefix: str = "") -> str:
    """256 random bits, safe in a cookie and in a header."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is kept of a random secret; a plain hash does, since nobody guesses 256 bits."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def passphrase() -> str:
    """A first password to be handed over: 80 random bits in four groups that can be read aloud."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def recovery_codes() -> list[str]:
    return [passphrase() for _ in range(RECOVERY)]


def recovery_digest(code: str) -> str:
    """The same for a code typed with blanks or capitals."""
    return digest("".join(code.lower().split()))


# ── the second factor ─────────────────────────────────────────────────────────────────────────


def second_factor() -> str:
    """A new secret, base32."""
    return pyotp.random_base32()


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The 30-second step whose code was typed, None when it is of none around `now` (RFC 6238)."""
    plain = "".join(code.split())
    step = int(now.timestamp()) // STEP_S
    totp = pyotp.TOTP(secret)
    for one in range(step - _AROUND, step + _AROUND + 1):
        if hmac.compare_digest(totp.generate_otp(one).encode(), plain.encode("utf-8", "replace")):
            return one
    return None


def picture(secret: str, account: str, site: str) -> bytes:
    """The QR code that an authenticator app reads, as SVG."""
    drawn = io.BytesIO()
    address = pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=site)
    segno.make(address, error="m", micro=False).save(
        drawn, kind="svg", scale=5, border=4, dark="#000", light="#fff"
    )
    return drawn.getvalue()
