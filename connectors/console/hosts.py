"""By which names we may be called. A page elsewhere can have its own name point at us (DNS rebinding), and then
a browser takes it for ours: such a name is not answered.

Addresses and names without a dot cannot be had that way; every other name must be one of the site's.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from typing import Final

STRANGE: Final = (
    "这个网址不是本系统的，没有打开。请用站点的地址访问；"
    "要用别的域名，在 site.yaml 写 console 的 public_url 或 names。"
)


def is_ours(host: str, names: Collection[str]) -> bool:
    """`host` as a request gives it, with or without a port; "" is a program that names nobody."""
    name = _without_port(host.strip().lower()).rstrip(".")
    return not name or name in names or _is_address(name) or _is_short(name)


def _without_port(host: str) -> str:
    """As it is where what follows the colon is no port: then it is no name of ours either."""
    bracketed = host.startswith("[")
    name, _, port = host[1:].partition("]") if bracketed else host.partition(":")
    port = port.removeprefix(":") if bracketed else port
    return name if not port or port.isdecimal() else host


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_short(name: str) -> bool:
    """A name of this machine or of the own network: nobody buys it."""
    return name.endswith(".localhost") or all(sign.isalnum() or sign in "-_" for sign in name)
