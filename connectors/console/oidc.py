"""Signing in with the identity of another house: OpenID Connect, authorization code with PKCE, state and nonce.

The only home of Authlib (and of joserfc under it). Every address is reached through the guard, so a provider in
our own network stands in `http.allow_hosts`. What the browser must bring back is in its own cookie; nothing of a
half-done sign-in is kept here.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import httpx2
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from connectors.bodies import bounded
from connectors.http import Guard, open_client
from connectors.ports import Refused, Unreachable

PATIENCE: Final = timedelta(minutes=10)
"""So long somebody may take over there."""
DISCOVERED: Final = timedelta(minutes=10)
"""So long we believe what the other house says of itself; its keys are asked anew when one is unknown."""
MAX_BODY: Final = 256 * 1024
SKEW_S: Final = 60
"""Seconds that the other clock may stand off."""
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures that need the other house's private key; never `none`, never a shared secret."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`home`: the address of ours where the browser comes back to, exactly as registered over there; `claims`:
    what we need to know of a person, asked for separately where the id_token does not say it."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...]
    home: str
    claims: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody whom the other house vouches for; `claims` as its id_token says."""

    issuer: str
    subject: str
    claims: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _House:
    """What the other house says of itself, and its keys."""

    at: datetime
    about: Mapping[str, Any]
    keys: KeySet


class Provider:
    """One provider. `begin` sends somebody there, `finish` takes them back. `now`: the real time."""

    def __init__(self, settings: Settings, guard: Guard, now: Callable[[], datetime]) -> None:
        self._settings, self._guard, self._now = settings, guard, now
        self._house: _House | None = None

    async def begin(self, back: str, again: bool = False) -> tuple[str, str]:
        """The address over there, and what the cookie remembers. Raises Unreachable and Refused."""
        house = await self._known()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._settings.home,
            "scope": " ".join(self._settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
            **({"prompt": "login"} if again else {}),
        }
        kept = {"s": state, "n": nonce, "v": verifier, "b": back, "t": int(self._now().timestamp())}
        url = str(house.about["authorization_endpoint"])
        return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}", _packed(kept)

    async def finish(self, query: Mapping[str, str], kept: str) -> tuple[Identity, str]:
        """Who came back, and where they wanted to go. Raises Refused in words, and Unreachable."""
        begun = self._begun(query, kept)
        if "error" in query:
            raise Refused(f"单位统一身份没有放行（{query['error'][:60]}）；请重新登录，或找统一身份的管理员")
        house = await self._known()
        if query.get("iss", self._settings.issuer) != house.about["issuer"]:
            raise Refused("答复来自另一个身份提供方；请重新登录")  # RFC 9207
        answer = await self._exchange(house, query.get("code", ""), str(begun["v"]))
        claims = await self._verified(house, answer, str(begun["n"]))
        claims = {**await self._more(house, answer, claims), **claims}
        return Identity(str(claims["iss"]), str(claims["sub"]), claims), str(begun["b"])

    async def leave(self) -> str:
        """Where somebody ends their sign-in over there too (RP-initiated logout); "" where there is no such place."""
        endpoint = (await self._known()).about.get("end_session_endpoint")
        if not isinstance(endpoint, str):
            return ""
        said = {"client_id": self._settings.client_id}
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(said)}"

    def _begun(self, query: Mapping[str, str], kept: str) -> dict[str, Any]:
        """What this browser began with, if it is the one that comes back. Raises Refused."""
        begun = _unpacked(kept)
        told = _octets(query.get("state", ""))
        if not begun or not hmac.compare_digest(_octets(str(begun["s"])), told):
            raise Refused("登录不是从这个浏览器开始的，或已经用过；请重新登录")
        if int(self._now().timestamp()) - begun["t"] > PATIENCE.total_seconds():
            raise Refused("登录用的时间太长，已作废；请重新登录")
        return begun

    async def _exchange(self, house: _House, code: str, verifier: str) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code[:2000],
            "redirect_uri": self._settings.home,
            "code_verifier": verifier,
            "client_id": self._settings.client_id,
        }
        return await self._ask(str(house.about["token_endpoint"]), form)

    async def _verified(self, house: _House, answer: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        """The claims of an id_token that is signed, ours, now and of this sign-in. Raises Refused."""
        try:
            token = self._decoded(str(answer["id_token"]), (await self._with_key(house, answer)).keys)
            claims = CodeIDToken(
                token.claims, token.header, self._wanted(house), {"nonce": nonce, "client_id": self._settings.client_id,
                "access_token": answer.get("access_token")},
            )  # fmt: skip
            claims.validate(now=int(self._now().timestamp()), leeway=SKEW_S)
        except (JoseError, KeyError, ValueError) as error:
            raise Refused(
                f"单位统一身份的答复核对不上（{_short(error)}）；请重新登录，再不行请核对两边的时间和设置"
            ) from None
        return dict(claims)

    async def _more(
        self, house: _House, answer: Mapping[str, Any], claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """What the id_token leaves out and the userinfo endpoint says, of the same person. Raises Refused."""
        endpoint, token = house.about.get("userinfo_endpoint"), answer.get("access_token")
        if not endpoint or not token or all(name in claims for name in self._settings.claims):
            return {}
        told = await self._ask(str(endpoint), bearer=str(token))
        if told.get("sub") != claims["sub"]:
            raise Refused("单位统一身份前后说的不是同一个人；请重新登录")
        return told

    def _decoded(self, token: str, keys: KeySet) -> jwt.Token:
        return jwt.decode(token, keys, algorithms=list(ALGORITHMS))

    def _wanted(self, house: _House) -> dict[str, Any]:
        return {
            "iss": {"essential": True, "value": house.about["issuer"]},
            "aud": {"essential": True, "value": self._settings.client_id},
        }

    async def _with_key(self, house: _House, answer: Mapping[str, Any]) -> _House:
        """The house with the key that signed: keys change, and the new one is fetched when it is first seen."""
        header = json.loads(_bytes(str(answer["id_token"]).split(".")[0]))
        known = {key.kid for key in house.keys.keys}
        return house if header.get("kid") in known else await self._discover()

    # ── what the other house says of itself ───────────────────────────────────────────────────

    async def _known(self) -> _House:
        if self._house is None or self._now() - self._house.at > DISCOVERED:
            self._house = await self._discover()
        return self._house

    async def _discover(self) -> _House:
        about = await self._ask(f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration")
        missing = [
            name
            for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
            if not isinstance(about.get(name), str)
        ]
        if missing or str(about["issuer"]).rstrip("/") != self._settings.issuer.rstrip("/"):
            raise Refused(
                f"{self._settings.issuer} 的 OpenID 声明不对（{'、'.join(missing) or 'issuer 不同'}）"
            )
        try:
            keys = KeySet.import_key_set(dict(await self._ask(str(about["jwks_uri"]))))  # type: ignore[arg-type]
        except (JoseError, KeyError, ValueError, TypeError) as error:
            raise Refused(f"{self._settings.issuer} 的公钥读不了（{_short(error)}）") from None
        self._house = _House(self._now(), about, keys)
        return self._house

    async def _ask(
        self, url: str, form: Mapping[str, str] | None = None, bearer: str = ""
    ) -> Mapping[str, Any]:
        """A JSON object from over there; with `form` it is posted, with the client's secret beside it."""
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
        auth = (self._settings.client_id, self._settings.client_secret)
        try:
            async with asyncio.timeout(self._guard.deadline_s), open_client(self._guard) as web:
                more: dict[str, Any] = {"data": dict(form)} if form else {}
                if form and self._settings.client_secret:
                    more["auth"] = httpx2.BasicAuth(*auth)
                method = "POST" if form else "GET"
                async with web.stream(method, url, headers=headers, **more) as answer:
                    encoding = answer.headers.get("content-encoding", "")
                    body = await bounded(answer.aiter_raw(), encoding, MAX_BODY, url)
        except (TimeoutError, httpx2.HTTPError, httpx2.StreamError) as error:
            raise Unreachable(
                f"{self._settings.issuer} 连不上（{_short(error)}）；请稍后再试，或用口令登录"
            ) from None
        return _object(body, answer.status_code, form is not None)


def _object(body: bytes, status: int, posted: bool) -> Mapping[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if status == 200 and isinstance(said, dict):
        return said
    if status >= 500:
        raise Unreachable(f"答复 {status}；请稍后再试")
    why = str(said.get("error", ""))[:60] if isinstance(said, dict) else ""
    words = "换取凭证" if posted else "读取声明"
    raise Refused(
        f"单位统一身份{words}不成（{status} {why}）；请重新登录，再不行请核对 site.yaml 的 access.oidc"
    )


def _short(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:120]


def _octets(text: str) -> bytes:
    """Of any text, also one that a browser made up."""
    return text.encode("utf-8", "replace")


def _packed(kept: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(kept).encode()).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _unpacked(kept: str) -> dict[str, Any]:
    """What `_packed` packed; empty for anything else."""
    try:
        found = json.loads(_bytes(kept))
        whole = {"s", "n", "v", "b", "t"} <= found.keys() and isinstance(found["t"], int)
    except (binascii.Error, ValueError, AttributeError, TypeError, RecursionError):
        return {}
    return dict(found) if whole else {}
