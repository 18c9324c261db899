"""What the tests must know of each maker of text messages and calls."""

from __future__ import annotations

import json
from typing import Any

from support.kits import Kit
from support.receiver import Answer

KEY_ID, KEY = "LTAIrehearsal", "rehearsal-gateway-key-0000"
PARAMS = {"title": "{title}", "due": "{due}", "ref": "{ref}"}
PHONE = "13800001234"


def said(**told: Any) -> Answer:
    return Answer(body=json.dumps(told, ensure_ascii=False).encode())


def number(code: str, message: str = "") -> Answer:
    """Tencent's answer about one number."""
    status = {"SerialNo": "5000:1", "PhoneNumber": f"+86{PHONE}", "Fee": 1, "Code": code, "Message": message}
    return said(Response={"SendStatusSet": [status], "RequestId": "r-1"})


def wrong(code: str) -> Answer:
    """Tencent's answer about a whole request."""
    return said(Response={"Error": {"Code": code, "Message": f"no: +86{PHONE}"}, "RequestId": "r-1"})


def _settings(profile: str, type_: str, **more: Any) -> Any:
    return lambda url: {
        "id": type_, "type": type_, "profile": profile, "base_url": url, "key_id": KEY_ID,
        "secret": KEY, "template": "SMS_1", "sign_name": "临江市政府", "params": PARAMS, **more,
    }  # fmt: skip


def _as_dict(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _aliyun_yes(status: int, body: bytes) -> bool:
    return 200 <= status < 300 and _as_dict(body).get("Code") == "OK"


def _tencent_yes(status: int, body: bytes) -> bool:
    told = _as_dict(body).get("Response")
    if not isinstance(told, dict) or not 200 <= status < 300 or isinstance(told.get("Error"), dict):
        return False
    each = told.get("SendStatusSet")
    if "SendStatusSet" in told:
        good = isinstance(each, list) and len(each) == 1 and isinstance(each[0], dict)
        return bool(good and each and each[0].get("Code") == "Ok")
    call = told.get("SendStatus")
    return isinstance(call, dict) and bool(str(call.get("CallId") or "").strip())


_ALIYUN: dict[str, Any] = {
    "refusals": {
        "signature name inside a 200": said(Code="isv.SMS_SIGNATURE_ILLEGAL", Message="签名不合法"),
        "no money inside a 200": said(Code="isv.AMOUNT_NOT_ENOUGH", Message=f"余额不足 {PHONE}"),
        "wrong key with a 400": Answer(
            status=400, body=b'{"Code": "SignatureDoesNotMatch", "Message": "no", "RequestId": "1"}'
        ),
        "an unheard-of no inside a 200": said(Code="isv.SOMETHING_NEW", Message="?"),
    },
    "passing": {
        "too many for one number inside a 200": said(
            Code="isv.BUSINESS_LIMIT_CONTROL", Message="触发小时级流控"
        ),
        "throttled with a 400": Answer(status=400, body=b'{"Code": "Throttling.User", "Message": "slow"}'),
        "system error inside a 200": said(Code="isp.SYSTEM_ERROR", Message="?"),
    },
}
_TENCENT: dict[str, Any] = {
    "refusals": {
        "wrong signature inside a 200": wrong("AuthFailure.SignatureFailure"),
        "template inside a 200": number("FailedOperation.TemplateIncorrectOrUnapproved"),
        "wrong number inside a 200": number("InvalidParameterValue.IncorrectPhoneNumber", f"+86{PHONE}"),
    },
    "passing": {
        "thirty seconds inside a 200": number("LimitExceeded.PhoneNumberThirtySecondLimit"),
        "too many requests inside a 200": wrong("RequestLimitExceeded"),
        "their error inside a 200": wrong("InternalError.Timeout"),
    },
}
MAKERS = [
    Kit(
        "sms", _settings("aliyun", "sms"), b'{"Code": "OK", "Message": "OK", "BizId": "9001"}', KEY,
        said_yes=_aliyun_yes, calls=(PHONE, ""), name="aliyun sms", **_ALIYUN,
    ),
    Kit(
        "voice", _settings("aliyun", "voice", show_number="05710000"),
        b'{"Code": "OK", "Message": "OK", "CallId": "1^2"}', KEY,
        said_yes=_aliyun_yes, calls=(PHONE, ""), name="aliyun voice", **_ALIYUN,
    ),
    Kit(
        "sms", _settings("tencent", "sms", app_id="1400006666"), number("Ok", "send success").body, KEY,
        said_yes=_tencent_yes, calls=(PHONE, ""), name="tencent sms", **_TENCENT,
    ),
    Kit(
        "voice", _settings("tencent", "voice", app_id="1400006666"),
        said(Response={"SendStatus": {"CallId": "c-1", "SessionContext": "al-7"}, "RequestId": "r"}).body, KEY,
        said_yes=_tencent_yes, calls=(PHONE, ""), name="tencent voice",
        refusals={"no money inside a 200": wrong("FailedOperation.InsufficientBalanceInSmsPackage")},
        passing={"too many inside a 200": wrong("LimitExceeded.DeliveryFrequencyLimit")},
    ),
]  # fmt: skip
