"""The lookout of a process: sees when its own threads no longer get through, and when nobody audits.

It stands on this process's memory and clock alone, so that it can speak when the database is away or the
disk is full. What it says goes the way of the auditor's alarm.
"""

from __future__ import annotations

import fcntl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from flows.asker import Asker
from flows.audit import Finding
from flows.office.coverage import PARTS
from flows.telling import alarm
from flows.telling.alarm import OnDisk
from flows.wiring import House
from models.core.moment import span
from models.ledger import duties
from models.ledger.store import LedgerError

log = structlog.get_logger()
LOOK_S = 10.0
FAILING_S = 60.0
DATABASE_S = 15.0
"""So long a single read may take before the database counts as one that hangs."""
REPLICAS = 64
"""So many processes of one kind may share a folder."""
SILENT_S = {"respond": 60.0, "deliver": 240.0}
"""Seconds without a finished round that are a fault; a sender may wait long for channels that hang."""


@dataclass
class Lookout:
    """`good` and `wrong` are told by the threads; `watch` runs in one of its own."""

    house: House
    name: str = "run"
    tick: Callable[[], float] = time.monotonic
    patience_s: float = DATABASE_S
    _good: dict[str, float] = field(default_factory=dict)
    _wrong: dict[str, tuple[float, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._auditor = Asker(self._audit_due, self.patience_s)

    def good(self, name: str) -> None:
        """A round of this duty came to its end."""
        self._good[name] = self.tick()
        self._wrong.pop(name, None)

    def wrong(self, name: str, error: str) -> None:
        """A round of this duty failed: since when is kept."""
        since, _ = self._wrong.get(name, (self.tick(), ""))
        self._wrong[name] = (since, error)

    def rounds(self) -> dict[str, tuple[float, bool]]:
        """duty → seconds since its last good round, and whether it fails now: of those that had one."""
        return {name: (self.tick() - at, name in self._wrong) for name, at in self._good.copy().items()}

    def look(self) -> list[Finding]:
        """What is wrong here; only when nothing is, whether the auditor is at work anywhere."""
        return [*self._failing(), *self._silent()] or self._unaudited()

    def watch(self, stopped: threading.Event) -> None:
        with own_file(self.house.state_dir, f"lookout-{self.name}") as path:
            memory = OnDisk(path)
            while not stopped.wait(LOOK_S):
                try:
                    alarm.speak(self.house, memory, self.look())
                except Exception as error:  # whoever keeps watch must not fall
                    log.error("the lookout stumbled", reason=repr(error), exc_info=True)

    def _failing(self) -> Iterator[Finding]:
        """One finding however many fail: they mostly fail together."""
        lasting = {name: one for name, one in self._wrong.copy().items() if self.tick() - one[0] > FAILING_S}
        if lasting:
            since, error = min(lasting.values())
            names = "、".join(_label(name) for name in lasting)
            words = f"{names}已连续失败 {span(self.tick() - since)}: {error}；请检查数据库与磁盘，运行 huiying doctor"
            yield Finding("failing", words)

    def _silent(self) -> Iterator[Finding]:
        for name, patience in SILENT_S.items():
            since = self._good.get(name)
            if since is not None and name not in self._wrong and self.tick() - since > patience:
                words = f"{_label(name)}已 {span(self.tick() - since)}没有走完一轮；请检查数据库，必要时重启本进程"
                yield Finding(f"silent:{name}", words)

    def _unaudited(self) -> list[Finding]:
        """Every process watches the auditor, which watches all the others; a database that says nothing
        at all is itself what there is to tell."""
        try:
            answers = self._auditor.ask()
        except LedgerError:  # it says no: that is what the threads fail on, and tell of
            return []
        if not answers:
            return [
                Finding(
                    "hangs", f"数据库 {self.patience_s:g} 秒没有回答；请检查数据库与网络，运行 huiying doctor"
                )
            ]
        return self._late(answers[0])

    def _late(self, due_at: datetime | None) -> list[Finding]:
        now, patience = self.house.time.now(), PARTS["audit"][1] * self.house.time.speed
        if due_at is None or now - due_at <= patience:
            return []
        late = span((now - due_at) / timedelta(seconds=1))
        return [Finding("audit", f"自我审计已 {late}没有运行；请另起一个 {PARTS['audit'][2]}")]

    def _audit_due(self) -> datetime | None:
        with self.house.store.read() as conn:
            row = next((row for row in duties.all_duties(conn) if row.name == "audit"), None)
        return row.due_at if row is not None else None


@contextmanager
def own_file(folder: Path, name: str) -> Iterator[Path]:
    """`name`.json, `name`-2.json …: the first that no living process holds, ours until the end. Replicas share the
    folder, and what one has said is not the other's to call mended; who starts anew finds his own words again."""
    with ExitStack() as held:
        yield next((path for path in _places(folder, name) if _taken(path, held)), folder / f"{name}.json")


def _places(folder: Path, name: str) -> Iterator[Path]:
    return (folder / f"{name}{f'-{n}' if n > 1 else ''}.json" for n in range(1, REPLICAS + 1))


def _taken(path: Path, held: ExitStack) -> bool:
    """A full disk or a folder that may not be written takes nobody's voice: nothing is held there."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = held.enter_context(path.open("a"))
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _label(name: str) -> str:
    return PARTS[name][0] if name in PARTS else name
