"""Addresses of mail and telephone: one plain mailbox, one number, and as much of them as may be shown."""

from __future__ import annotations

import re

_LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
_DOMAIN = re.compile(r"(?=.{1,253}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_NUMBER = re.compile(r"(?:\+|00)?[0-9]{5,15}")
_SPACES = re.compile(r"[ ()（）-]+")
_MAINLAND = re.compile(r"(?:(?:\+|00)?86)?(1[0-9]{10})")
SHOWN = 4
"""Characters at the end of a number that are shown."""


def mailbox(address: str) -> str:
    """One plain mailbox, its domain in ASCII. Raises ValueError in words for anything else: several,
    names, comments, line ends."""
    local, at, domain = address.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode() if domain else ""
    except UnicodeError:
        domain = ""
    if not at or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise ValueError("不是一个邮箱地址；写成 zhiban@example.gov.cn")
    return f"{local}@{domain}"


def telephone(address: str) -> str:
    """A telephone number without its spaces: +86… and 0086… lose it. Raises ValueError in words."""
    bare = _SPACES.sub("", address.strip(" "))
    home = _MAINLAND.fullmatch(bare)
    if home:
        return home[1]
    if not _NUMBER.fullmatch(bare):
        raise ValueError('不是电话号码；写成 "13800000000"（加引号），境外写 "+85212345678"')
    return bare


_READ = {"mail": mailbox, "sms": telephone, "voice": telephone}


def mistake(kind: str, address: str) -> tuple[str, str] | None:
    """What is wrong with an address on a channel of this kind, and what to write; None when it is well."""
    read = _READ.get(kind)
    try:
        if read is not None:
            read(address)
    except ValueError as error:
        wrong, _, hint = str(error).partition("；")
        return wrong, hint
    return None


def mask(digits: str) -> str:
    """138****8000: enough to know whose it is, too little to call."""
    return digits if len(digits) < 7 else f"{digits[:3]}****{digits[-SHOWN:]}"


def masked(address: str) -> str:
    """138****1234, wa**@example.gov.cn: enough to know one's own by."""
    local, at, domain = address.rpartition("@")
    return f"{local[:2]}**@{domain}" if at and local else mask(domain if at else address)
