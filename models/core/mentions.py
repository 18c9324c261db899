"""Whom a group message calls by name: how a contact's address says it, on each platform.

`@13800000000` is a mobile number, `userid:…` and `openid:…` are the platform's own names for a person;
`group` calls nobody. An address can never call everybody: nobody is woken who is not on duty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

GROUP = "group"
"""An address that calls nobody: the message only stands in the group."""
MOBILE, USERID, OPENID = "@", "userid:", "openid:"

WAYS: Mapping[str, tuple[str, ...]] = {
    "dingtalk": (MOBILE, USERID),
    "wecom": (MOBILE, USERID),
    "feishu": (OPENID, USERID),
    "wecom_app": (USERID,),
    "feishu_app": (OPENID, USERID),
}
"""Type of channel → how it can call a person (each platform's own document on robots)."""
PERSONAL = frozenset({"wecom_app", "feishu_app"})
"""Channels that write to one person, so that `group` is no address there."""

_FORMS = {
    MOBILE: re.compile(r"@(1[3-9]\d{9}|\+\d{1,4}-\d{5,14})"),
    USERID: re.compile(r"userid:([A-Za-z0-9][A-Za-z0-9_.@$:-]{0,63})"),
    OPENID: re.compile(r"openid:(ou_[A-Za-z0-9_-]{1,64})"),
}
_EXAMPLES = {MOBILE: '"@13800000000"', USERID: '"userid:zhangsan"', OPENID: '"openid:ou_…"'}
_EVERYBODY = frozenset({"all", "@all", "everyone"})


@dataclass(frozen=True, slots=True)
class Mention:
    """A person as the platform knows them: `way` is MOBILE, USERID or OPENID."""

    way: str
    name: str


def mention(kind: str, address: str) -> Mention | None:
    """Whom an address of a channel of this kind calls; None for `group` and for what is malformed."""
    for way in WAYS.get(kind, ()):
        match = _FORMS[way].fullmatch(address)
        if match and match[1].lower() not in _EVERYBODY:
            return Mention(way, match[1])
    return None


def folded(kind: str, one: Mention | None) -> Mention | None:
    """As names are compared: WeCom's (成员UserID) are the same in whatever case."""
    return Mention(one.way, one.name.lower()) if one is not None and kind == "wecom_app" else one


def trouble(kind: str, address: str) -> tuple[str, str] | None:
    """What is wrong with an address on such a channel, and what to write; None when it is well."""
    ways = WAYS.get(kind)
    if ways is None or mention(kind, address) or (address == GROUP and kind not in PERSONAL):
        return None
    written = "、".join(_EXAMPLES[way] for way in ways)
    hint = f"写成 {written}" + ("" if kind in PERSONAL else f"；只发到群里、不 @ 人写 {GROUP}")
    if address.lower().partition(":")[2] in _EVERYBODY or address.lower() in _EVERYBODY:
        return "地址不能是所有人", hint
    if MOBILE in ways and _FORMS[MOBILE].fullmatch(f"@{address}"):
        return "手机号前少了 @", f'写成 "@{address}"'
    return "地址写法不对，@ 不到人", hint
