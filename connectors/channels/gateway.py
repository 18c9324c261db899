"""Text messages and telephone calls through whoever carries them: one adapter, a profile for each maker.

    aliyun    Dysmsapi SendSms, Dyvmsapi SingleCallByTts (2017-05-25), signed ACS3-HMAC-SHA256
    tencent   SMS SendSms (2021-01-11), VMS SendTtsVoice (2020-09-02), signed TC3-HMAC-SHA256
    http      any other gateway: address, body and what counts as a yes come from channels.yaml

They say no inside an HTTP 200, with a code of their own; only their own yes is a yes, and it means that
the platform took the order, not that the phone rang. A telephone number stands in no log and in no reason
whole. Texts follow a template that the maker has approved, so an alert gives only its variables.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

import httpx2

from connectors.channels import posting, signing
from connectors.channels.posting import Answer
from connectors.channels.settings import Now, Secrets, Settings, name, secret, text, web_address, whole
from connectors.channels.view import CUT_MARK, View, cut, plain, view
from connectors.ports import Delivery, Message, Outcome, Refused
from models.core import placeholders
from models.core.addressing import mask, telephone
from models.core.moment import parse_iso

TEXT = 300
"""Characters of `{text}`: five text messages for the one who pays; the whole is on the page."""
PARAM = {"aliyun": 35, "tencent": 12}
"""Characters of a template's variable, by the makers' rules for an ordinary customer."""
_ELLIPSIS = "…"
_BRACKETS = str.maketrans("【】", "[]")  # kept for the signature by every carrier

Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Order:
    """One request to the gateway, ready to go."""

    url: str
    content: bytes
    headers: Mapping[str, str]
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer's body says: its code, in words, and the maker's own number of the order.

    `yes` None: it says neither yes nor no.
    """

    yes: bool | None
    code: str = ""
    words: str = ""
    passing: bool = False
    receipt: str | None = None


Write = Callable[[Words, datetime], Order]
Read = Callable[[Any], Verdict]


@dataclass(slots=True, eq=False)
class Gateway:
    """Sends to one number at a time; usable from many threads."""

    id: str
    type: str
    client: httpx2.Client = field(repr=False)
    write: Write = field(repr=False)
    read: Read = field(repr=False)
    hints: Mapping[str, str] = field(repr=False, default_factory=dict)
    now: Now | None = field(repr=False, default=None)

    def send(self, message: Message) -> Delivery:
        try:
            phone = telephone(message.address)
        except ValueError as error:
            return Delivery(Outcome.REFUSED, f"{self.id}: “{mask(plain(message.address, 30))}” {error}")
        at = self.now() if self.now else parse_iso(str(message.payload["sent_at"]))
        order = self.write(words(view(message), phone, message.alert_id), at)
        done = posting.deliver(
            self.id, self.client, order.url, order.content, self._judge, order.headers, order.method
        )
        return Delivery(done.outcome, hidden(done.reason, phone), done.receipt, done.retry_after)

    def check(self) -> str | None:
        return None

    def close(self) -> None:
        self.client.close()

    def _judge(self, answer: Answer) -> Delivery:
        """The maker's code first: a passing no may come with any status."""
        told = self.read(_parsed(answer))
        said = f"{self.id}: HTTP {answer.status} {plain(f'{told.code} {told.words}', 160)}".strip()
        if told.yes is False and told.passing:
            wait = posting.retry_after(answer.headers, self.now and self.now())
            return Delivery(Outcome.RETRY, said, retry_after=wait)
        failed = posting.no(self.id, answer, self.now and self.now())
        named = told.yes is False and told.code  # its own no says more than the status
        if failed is not None and not (named and failed.outcome is Outcome.REFUSED):
            return failed
        if told.yes is None:
            return Delivery(
                Outcome.UNKNOWN, f"{self.id}: HTTP {answer.status}，答复里看不出是否收下 {answer.words}"
            )
        if told.yes:
            return Delivery(Outcome.ACCEPTED, said, receipt=told.receipt)
        hint = next((f"；{self.hints[key]}" for key in self.hints if told.code.startswith(key)), "")
        return Delivery(Outcome.REFUSED, said + hint)


def build(settings: Settings, secrets: Secrets, now: Now | None = None) -> Gateway:
    """{id, type: sms | voice, profile: aliyun | tencent | http, …}. Raises Refused.

    aliyun: {key_id, secret, template, sign_name (sms), show_number (voice), params, param_chars, base_url}.
    tencent: the same with app_id, region; `params` go in their order. http: {url, method: POST, headers,
    body, form: false, secret, sign: none | bearer | hmac, success {path, equals} or {starts}, passing}.
    """
    profile = text(settings, "profile")
    if profile not in _PROFILES:
        raise Refused(f"{name(settings)}: no profile {profile!r}; write {', '.join(_PROFILES)}")
    write, read, hints = _PROFILES[profile](settings, secrets)
    kind = text(settings, "type")
    return Gateway(text(settings, "id"), kind, posting.client(settings), write, read, hints, now)


# ── the words ─────────────────────────────────────────────────────────────────────────────────────


def hidden(reason: str, phone: str) -> str:
    """A reason without the number, in whichever form the gateway repeats it."""
    bare = phone.lstrip("+")
    return reason.replace(phone, mask(phone)).replace(bare, mask(bare))


def words(seen: View, phone: str, alert_id: str) -> dict[str, str]:
    """What a template may ask for (`models.core.placeholders`)."""
    return {
        "phone": phone,
        "text": sentence(seen),
        "ref": inert(seen.ref),
        "title": inert(seen.title),
        "grade": seen.badge.partition(" · ")[2].partition(" 级")[0] + " 级" if seen.badge else "",
        "name": inert(seen.who.partition("（")[0]),
        "why": inert(seen.why),
        "due": seen.due,
        "left": seen.left,
        "link": seen.ack_url or seen.url,
        "alert_id": alert_id,
    }


def inert(words_: str) -> str:
    """Words from outside: a telephone makes a link of every address that it sees."""
    return words_.replace("://", "：//")


def sentence(seen: View) -> str:
    """[橙 · II 级 重大]化工园区爆燃，11-21 07:10 前，还剩 1 小时 15 分。舆-2026-0012 首次发布 75%。签收 https://…"""
    again = f"（重发，第 {seen.attempt} 次）" if seen.attempt > 1 else ""
    more = f"另有 {len(seen.also)} 条" if seen.also else ""
    limit = "，".join(filter(None, (f"{seen.due} 前" if seen.due else "", seen.left)))
    head = f"[{seen.badge}]{inert(seen.title)}" if seen.badge else inert(seen.title)
    tail = f"签收 {seen.ack_url}" if seen.ack_url else f"见 {seen.url}" if seen.url else ""
    rest = "。".join(filter(None, (limit, inert(seen.ref) + again, more)))
    room = TEXT - len(rest) - len(tail) - 2
    why = "" if seen.due else f"：{inert(seen.why)}"
    said = "。".join(filter(None, (cut(head + why, max(room, len(CUT_MARK))), rest, tail)))
    return said.translate(_BRACKETS)


def variable(words_: str, most: int) -> str:
    """A template's variable: on one line, never empty (a template is refused for it), cut with a mark."""
    bare = words_.translate(_BRACKETS).replace("\n", " ").strip() or "无"
    return bare if len(bare) <= most else bare[: most - 1] + _ELLIPSIS


# ── the makers ────────────────────────────────────────────────────────────────────────────────────


def _params(settings: Settings) -> dict[str, str]:
    """The template's variables by name, each a template of ours without an address. Raises Refused."""
    given = settings.get("params") or {}
    for key, template in given.items():
        strange = placeholders.strange(str(template))
        if strange:
            raise Refused(f"{name(settings)}: params.{key} asks for {{{strange[0]}}}; there are: {_known()}")
        if placeholders.asked(str(template)) & placeholders.LINKS:
            raise Refused(
                f"{name(settings)}: params.{key} holds an address; write it into the approved template"
            )
    return {str(key): str(template) for key, template in given.items()}


def _known() -> str:
    return " ".join(f"{{{one}}}" for one in placeholders.WORDS)


def _filled(params: Mapping[str, str], given: Words, most: int) -> dict[str, str]:
    return {key: variable(placeholders.filled(template, given), most) for key, template in params.items()}


def _aliyun(settings: Settings, secrets: Secrets) -> tuple[Write, Read, Mapping[str, str]]:
    voice = settings.get("type") == "voice"
    api, action = ("dyvmsapi", "SingleCallByTts") if voice else ("dysmsapi", "SendSms")
    base = web_address(settings, "base_url", f"https://{api}.aliyuncs.com").rstrip("/")
    key_id, key = secret(settings, secrets, "key_id"), secret(settings, secrets, "secret")
    template, params = text(settings, "template"), _params(settings)
    sign_name = "" if voice else text(settings, "sign_name")
    shown = str(settings.get("show_number") or "")
    most = whole(settings, "param_chars", PARAM["aliyun"], 500)

    def write(given: Words, at: datetime) -> Order:
        filled = json.dumps(_filled(params, given, most), ensure_ascii=False)
        asked = (
            {"CalledNumber": given["phone"], "TtsCode": template, "TtsParam": filled}
            | ({"CalledShowNumber": shown} if shown else {})
            if voice
            else {
                "PhoneNumbers": given["phone"],
                "SignName": sign_name,
                "TemplateCode": template,
                "TemplateParam": filled,
            }
        )
        query = signing.canonical(asked | {"OutId": given["alert_id"][: 15 if voice else 256]})
        host = urlsplit(base).netloc
        headers = signing.acs3(key_id, key, host, action, "2017-05-25", query, at, uuid4().hex)
        return Order(f"{base}/?{query}", b"", headers)

    return write, _read_aliyun, _ALIYUN_HINTS


_ALIYUN_PASSING = (
    "isv.BUSINESS_LIMIT_CONTROL", "isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL", "isp.SYSTEM_ERROR",
    "isp.GATEWAY_ERROR", "isp.UNKNOWN_ERR_CODE", "Throttling", "ServiceUnavailable", "InternalError", "SystemBusy",
)  # fmt: skip
_ALIYUN_HINTS = {
    "isv.SMS_SIGNATURE_ILLEGAL": "短信签名没有审核通过；请核对 sign_name",
    "isv.SMS_TEMPLATE_ILLEGAL": "模板没有审核通过；请核对 template",
    "isv.TEMPLATE_MISSING_PARAMETERS": "模板里的变量没有给全；请核对 params",
    "isv.TEMPLATE_PARAMS_ILLEGAL": "变量内容不合模板要求；请核对 params",
    "isv.PARAM_LENGTH_LIMIT": "变量太长；请把 param_chars 改小",
    "isv.PARAM_NOT_SUPPORT_URL": "变量里不能有网址；请写进模板正文",
    "isv.AMOUNT_NOT_ENOUGH": "余额不足；请充值",
    "isv.OUT_OF_SERVICE": "欠费停机；请充值",
    "isv.MOBILE_NUMBER_ILLEGAL": "号码不对；请核对 roster.yaml",
    "InvalidAccessKeyId": "AccessKey 不对；请核对 key_id",
    "SignatureDoesNotMatch": "签名不对；请核对 secret 和本机时间",
    "InvalidTimeStamp": "本机时间不准；请核对对时服务",
    "isp.RAM_PERMISSION_DENY": "这个 AccessKey 没有短信、语音权限",
}


def _read_aliyun(body: Any) -> Verdict:
    code = body.get("Code") if isinstance(body, Mapping) else None
    if not isinstance(code, str) or not code:
        return Verdict(None)
    receipt = plain(body.get("BizId") or body.get("CallId"), 120) or None
    passing = code.startswith(_ALIYUN_PASSING)
    return Verdict(code == "OK", code, plain(body.get("Message"), 120), passing, receipt)


def _tencent(settings: Settings, secrets: Secrets) -> tuple[Write, Read, Mapping[str, str]]:
    voice = settings.get("type") == "voice"
    api, action, version = (
        ("vms", "SendTtsVoice", "2020-09-02") if voice else ("sms", "SendSms", "2021-01-11")
    )
    base = web_address(settings, "base_url", f"https://{api}.tencentcloudapi.com").rstrip("/")
    key_id, key = secret(settings, secrets, "key_id"), secret(settings, secrets, "secret")
    app, template, params = text(settings, "app_id"), text(settings, "template"), _params(settings)
    sign_name = "" if voice else text(settings, "sign_name")
    most = whole(settings, "param_chars", PARAM["tencent"], 500)
    asking = {
        "X-TC-Action": action,
        "X-TC-Version": version,
        "X-TC-Region": text(settings, "region", "ap-guangzhou"),
    }

    def write(given: Words, at: datetime) -> Order:
        phone = given["phone"] if given["phone"].startswith("+") else f"+86{given['phone']}"
        values = list(_filled(params, given, most).values())
        common = {"TemplateId": template, "TemplateParamSet": values, "SessionContext": given["alert_id"]}
        asked = (
            {"CalledNumber": phone, "VoiceSdkAppid": app}
            if voice
            else {"PhoneNumberSet": [phone], "SmsSdkAppId": app, "SignName": sign_name}
        )
        content = json.dumps(asked | common, ensure_ascii=False).encode("utf-8", "replace")
        headers = signing.tc3(key_id, key, urlsplit(base).netloc, api, content, at)
        return Order(f"{base}/", content, headers | asking)

    return write, _read_tencent, _TENCENT_HINTS


_TENCENT_PASSING = (
    "LimitExceeded", "RequestLimitExceeded", "InternalError", "FailedOperation.OtherError", "ResourceUnavailable",
)  # fmt: skip
_TENCENT_HINTS = {
    "FailedOperation.SignatureIncorrectOrUnapproved": "短信签名没有审核通过；请核对 sign_name",
    "FailedOperation.TemplateIncorrectOrUnapproved": "模板没有审核通过，或变量个数不对；请核对 template、params",
    "FailedOperation.InsufficientBalanceInSmsPackage": "套餐包用完了；请购买",
    "FailedOperation.PhoneNumberInBlacklist": "号码在退订名单里；请本人联系运营商",
    "InvalidParameterValue.IncorrectPhoneNumber": "号码不对；请核对 roster.yaml",
    "InvalidParameterValue.TemplateParameterLengthLimit": "变量太长；请把 param_chars 改小",
    "AuthFailure.SignatureExpire": "本机时间不准；请核对对时服务",
    "AuthFailure": "密钥不对或没有权限；请核对 key_id、secret",
    "UnauthorizedOperation": "没有权限；请核对 app_id 和密钥的授权",
}


def _read_tencent(body: Any) -> Verdict:
    """An error of the whole request, else what became of the one number."""
    told = body.get("Response") if isinstance(body, Mapping) else None
    if not isinstance(told, Mapping):
        return Verdict(None)
    wrong = told.get("Error")
    if isinstance(wrong, Mapping):
        code = plain(wrong.get("Code"), 120)
        return Verdict(False, code, plain(wrong.get("Message"), 120), code.startswith(_TENCENT_PASSING))
    return (
        _read_number(told.get("SendStatusSet"))
        if "SendStatusSet" in told
        else _read_call(told.get("SendStatus"))
    )


def _read_number(statuses: Any) -> Verdict:
    if not isinstance(statuses, list) or len(statuses) != 1 or not isinstance(statuses[0], Mapping):
        return Verdict(None)
    one = statuses[0]
    code = plain(one.get("Code"), 120)
    if not code:
        return Verdict(None)
    receipt = plain(one.get("SerialNo"), 120) or None
    return Verdict(
        code == "Ok", code, plain(one.get("Message"), 120), code.startswith(_TENCENT_PASSING), receipt
    )


def _read_call(status: Any) -> Verdict:
    """A call has no code of its own: its number is the yes."""
    call = plain(status.get("CallId"), 120) if isinstance(status, Mapping) else ""
    return Verdict(True, "Ok", "", receipt=call) if call else Verdict(None)


def _http(settings: Settings, secrets: Secrets) -> tuple[Write, Read, Mapping[str, str]]:
    url, method = _revealed(text(settings, "url"), secrets), text(settings, "method", "POST").upper()
    web_address(dict(settings) | {"url": url}, "url")
    if method not in ("GET", "POST"):
        raise Refused(f"{name(settings)}: 'method' is {method!r}; write GET or POST")
    body, form = _revealed(settings.get("body") or {}, secrets), bool(settings.get("form"))
    headers = {str(k): str(v) for k, v in _revealed(settings.get("headers") or {}, secrets).items()}
    for template in (url, *_leaves(body)):
        strange = placeholders.strange(template)
        if strange:
            raise Refused(f"{name(settings)}: the template asks for {{{strange[0]}}}; there are: {_known()}")
    sign = _signer(settings, secrets)

    def write(given: Words, at: datetime) -> Order:
        target = placeholders.filled(url, {key: quote(value, safe="") for key, value in given.items()})
        content = b"" if method == "GET" else _body(_rendered(body, given), form)
        kind = "application/x-www-form-urlencoded" if form else "application/json; charset=utf-8"
        return Order(target, content, {"Content-Type": kind} | headers | sign(content, at), method)

    return write, _rule(settings), {}


def _signer(settings: Settings, secrets: Secrets) -> Callable[[bytes, datetime], dict[str, str]]:
    scheme = text(settings, "sign", "none")
    if scheme not in ("none", "bearer", "hmac"):
        raise Refused(f"{name(settings)}: 'sign' is {scheme!r}; write none, bearer or hmac")
    if scheme == "none":
        return lambda content, at: {}
    key = secret(settings, secrets, "secret")
    if scheme == "bearer":
        return lambda content, at: {"Authorization": f"Bearer {key}"}
    return lambda content, at: signing.plain_hmac(key, content, at)


def _revealed(value: Any, secrets: Secrets) -> Any:
    """The same shape with every reference (`${NAME}`, `file:path`) turned into its secret."""
    if isinstance(value, Mapping):
        return {key: _revealed(each, secrets) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_revealed(each, secrets) for each in value]
    hidden_ = isinstance(value, str) and value.startswith(("${", "file:"))
    return secrets(value) if hidden_ else value


def _leaves(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [leaf for each in value.values() for leaf in _leaves(each)]
    if isinstance(value, list | tuple):
        return [leaf for each in value for leaf in _leaves(each)]
    return [value] if isinstance(value, str) else []


def _rendered(value: Any, given: Words) -> Any:
    """The body's shape with every text filled: words from outside stay within their text."""
    if isinstance(value, Mapping):
        return {key: _rendered(each, given) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rendered(each, given) for each in value]
    return placeholders.filled(value, given) if isinstance(value, str) else value


def _body(value: Any, form: bool) -> bytes:
    if form:
        return urlencode(
            {key: str(each) for key, each in value.items()}, encoding="utf-8", errors="replace"
        ).encode()
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _rule(settings: Settings) -> Read:
    """What counts as a yes and as a passing no. Raises Refused when nothing does: no quiet failure."""
    yes, later = settings.get("success") or {}, settings.get("passing") or {}
    path, starts = str(yes.get("path") or ""), tuple(map(str, yes.get("starts") or ()))
    if not (path and yes.get("equals")) and not starts:
        raise Refused(
            f"{name(settings)}: 'success' is missing; write success: {{path: code, equals: [\"0\"]}}, "
            f'or {{starts: ["OK"]}} for an answer that is no JSON'
        )
    good, passing = _texts(yes.get("equals")), _texts(later.get("equals"))

    def read(body: Any) -> Verdict:
        if starts:
            said = body if isinstance(body, str) else ""
            return Verdict(said.startswith(starts) if said else None, plain(said, 120))
        code = _at(body, path)
        later_code = _at(body, str(later.get("path") or path))
        return Verdict(None) if code is None else Verdict(code in good, code, "", later_code in passing)

    return read


def _texts(values: Sequence[Any] | None) -> frozenset[str]:
    return frozenset(_text_of(one) or "" for one in values or ())


def _at(body: Any, path: str) -> str | None:
    """`result.list.0.code` → the value there as text; None where there is none."""
    for part in path.split("."):
        if isinstance(body, Mapping):
            body = body.get(part)
        elif isinstance(body, list) and part.isdecimal() and int(part[:6]) < len(body):
            body = body[int(part[:6])]
        else:
            return None
    return _text_of(body)


def _text_of(value: Any) -> str | None:
    """A scalar as JSON writes it: 0, true, "OK" → 0, true, OK."""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, bool | int | float) else None


def _parsed(answer: Answer) -> Any:
    """The body as JSON; a text that is none as it is; what broke off says nothing."""
    if not answer.whole:
        return None
    said = answer.body.decode("utf-8", "replace")
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        return said.strip()


_PROFILES: dict[str, Callable[[Settings, Secrets], tuple[Write, Read, Mapping[str, str]]]] = {
    "aliyun": _aliyun,
    "tencent": _tencent,
    "http": _http,
}
