"""Which addresses may be connected to, and the connection to exactly the one that was checked."""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpcore2

from connectors.ports import ConnectorError, Refused, Unreachable

MAX_ADDRESSES = 4
RESOLVERS = 32  # names looked up at once: one that hangs must not hold up the others
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[list[Address]]]
"""Host and port → every address in the resolver's order. Raises Unreachable when there is none."""


def canonical_host(host: str) -> str:
    """A host as the guard compares it: lower case, punycode, no brackets, no final dot."""
    host = host.strip().strip("[]").rstrip(".").lower()
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def is_public(address: Address) -> bool:
    """True for an address on the open internet, seen through every IPv4-in-IPv6 notation."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local or address.teredo:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


@functools.cache
def _threads() -> ThreadPoolExecutor:
    # of their own: the loop's threads write to the database
    return ThreadPoolExecutor(RESOLVERS, thread_name_prefix="dns")


async def resolve(host: str, port: int) -> list[Address]:
    """What the system's resolver says. Raises Unreachable when the host has no address."""
    loop = asyncio.get_running_loop()
    ask = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        rows = await loop.run_in_executor(_threads(), ask)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{host} 解析不到地址（{error}）；请核对域名，或检查 DNS", reached=False) from None
    found = [ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in rows]
    return list(dict.fromkeys(found))


async def checked_addresses(
    host: str, port: int, allowed: frozenset[str], resolver: Resolver = resolve
) -> list[Address]:
    """The addresses that may be connected to. Raises Refused when the guard lets none through."""
    addresses = await resolver(host, port)
    if canonical_host(host) in allowed:
        return addresses[:MAX_ADDRESSES]
    public = [address for address in addresses if is_public(address)]
    if not public:
        shown = addresses[0] if addresses else "没有地址"
        raise Refused(
            f"{host} 指向 {shown}，不是公网地址，未访问；确需访问内网主机时，"
            f"在 site.yaml 的 http.allow_hosts 写上 {host}"
        )
    return public[:MAX_ADDRESSES]


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Opens connections to checked addresses only; TLS still verifies the name in the URL."""

    def __init__(self, allow_hosts: frozenset[str], resolver: Resolver = resolve) -> None:
        self._allowed = frozenset(canonical_host(host) for host in allow_hosts)
        self._resolver = resolver
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = await checked_addresses(host, port, self._allowed, self._resolver)
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue  # the next address of the same host may answer
        return await self._inner.connect_tcp(str(addresses[-1]), port, timeout, local_address, socket_options)


async def answers(origin: str, allow_hosts: frozenset[str], resolver: Resolver, timeout_s: float) -> bool:
    """Does anybody take a connection there? `origin` is a URL's scheme, host and port."""
    parts = urlsplit(origin)
    try:
        async with asyncio.timeout(timeout_s):
            port = parts.port or (443 if parts.scheme == "https" else 80)
            backend = GuardedBackend(allow_hosts, resolver)
            await (await backend.connect_tcp(parts.hostname or "", port, timeout_s)).aclose()
    except (TimeoutError, ConnectorError, httpcore2.NetworkError, httpcore2.TimeoutException, ValueError):
        return False
    return True
