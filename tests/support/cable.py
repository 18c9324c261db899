"""Two machines joined by a cable: the second has a network (support/networks.py), a host name and process numbers
of its own. Where that is not allowed both are this one, and `parted` says so.

`with cable() as wire: wire.here` is the address under which the second machine finds the first;
`wire.there(line)` is a command line that runs on the second.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from support import machines, networks
from support.networks import Host


@dataclass(frozen=True, slots=True)
class Cable:
    here: str = "127.0.0.1"
    host: Host | None = None

    @property
    def parted(self) -> bool:
        return self.host is not None

    def there(self, line: list[str]) -> list[str]:
        return [*self.host.inside, *machines.APART, "machine-2", *line] if self.host else line

    def pull(self) -> None:
        """Nothing passes any more, and nobody is told."""
        if self.host is not None:
            self.host.cut()

    def plug(self) -> None:
        if self.host is not None:
            self.host.mend()


@contextmanager
def cable() -> Iterator[Cable]:
    if not (machines.can_part() and networks.can_part()):
        yield Cable()
        return
    with networks.line("second") as net:
        yield Cable(net.address, net.hosts["second"])
