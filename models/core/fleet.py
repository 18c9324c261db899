"""The processes of a site, as each last told of itself: what is wrong among them. Pure; times are arguments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from models.core.moment import clock_face, span

BEAT = timedelta(seconds=10)
"""Real time between two words of a process."""
SILENT = timedelta(seconds=60)
"""Real time after which a process that says nothing counts as gone."""
KEPT = timedelta(days=1)
"""So long one that vanished is named, unless somebody has seen it."""
OFF_MS = 2_000
"""A machine's clock that stands off so far from the database's is worth a word."""
LEAST_DISK = 2**30
FULL_POOL = 0.9
CLOCKS = frozenset({"respond", "deliver"})


@dataclass(frozen=True, slots=True)
class Seen:
    """A process by its last word; `disks` folder → bytes left, `reach` neighbour → what is wrong, "" when nothing."""

    id: str
    host: str
    pid: int
    kind: str
    duties: tuple[str, ...]
    version: str
    schema_version: str
    started_at: datetime
    beat_at: datetime
    offset_ms: int | None = None
    memory: int | None = None
    pool_used: int | None = None
    pool_size: int | None = None
    disks: Mapping[str, int] = field(default_factory=dict)
    reach: Mapping[str, str] = field(default_factory=dict)

    @property
    def called(self) -> str:
        """For people: what it is, where, by which number."""
        return f"{self.host} 的 {self.kind}(pid {self.pid})"


@dataclass(frozen=True, slots=True)
class Trouble:
    """`grave`: something is not done; else somebody should look at it in time."""

    key: str
    words: str
    mend: str
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Needs:
    """What there must be: `duties` that somebody runs, `good` those whose work was done just now whoever did it,
    `schema` of the database, `spread`: the clocks stand on two machines."""

    duties: frozenset[str]
    good: frozenset[str] = frozenset()
    schema: str = ""
    spread: bool = False


def is_silent(one: Seen, now: datetime, pace: float = 1.0) -> bool:
    return now - one.beat_at > SILENT * pace


def alive(fleet: Iterable[Seen], now: datetime, pace: float = 1.0) -> list[Seen]:
    return [one for one in fleet if not is_silent(one, now, pace)]


def troubles(fleet: Sequence[Seen], needs: Needs, now: datetime, pace: float = 1.0) -> list[Trouble]:
    """Everything worth a word, the grave first. Nothing is known of a site where no process ever spoke."""
    if not fleet:
        return []
    here = alive(fleet, now, pace)
    found = [
        *_silent(fleet, here, now, pace),
        *_undone(here, needs),
        *_versions(here, needs),
        *(trouble for one in here for trouble in _of_one(one)),
        *_alone(here, needs),
    ]
    return sorted(found, key=lambda trouble: not trouble.grave)


def _silent(fleet: Sequence[Seen], here: Sequence[Seen], now: datetime, pace: float) -> Iterator[Trouble]:
    """One that vanished; grave when it did what nobody else does."""
    done = {duty for one in here for duty in one.duties}
    for one in fleet:
        if is_silent(one, now, pace):
            left = [duty for duty in one.duties if duty not in done]
            since = span((now - one.beat_at).total_seconds())
            words = f"{one.called}已 {since}没有消息(最后 {clock_face(one.beat_at)})"
            words += f"，{' '.join(left)} 没有别的进程在做" if left else ""
            mend = f"到 {one.host} 上看它；确已不用的，huiying doctor --forget {one.host}:{one.pid}"
            yield Trouble(f"silent:{one.id}", words, mend, bool(left))


def _undone(here: Sequence[Seen], needs: Needs) -> Iterator[Trouble]:
    done = {duty for one in here for duty in one.duties} | needs.good
    missing = sorted(needs.duties - done)
    if missing:
        names = " ".join(missing)
        yield Trouble("undone", f"没有进程在做 {names}", f"huiying worker {names}", True)


def _versions(here: Sequence[Seen], needs: Needs) -> Iterator[Trouble]:
    """Two at once are a roll-out, for as long as it lasts; one that knows less than the database is behind."""
    hosts: dict[str, list[str]] = defaultdict(list)
    for one in here:
        hosts[one.version].append(one.called)
    if len(hosts) > 1:
        told = "；".join(f"{version}: {'、'.join(sorted(who))}" for version, who in sorted(hosts.items()))
        yield Trouble("versions", f"同时有 {len(hosts)} 个版本在运行: {told}", "把升级做完，或都退回同一版本")
    behind = [one for one in here if needs.schema and one.schema_version < needs.schema]
    if behind and len(hosts) == 1:
        names = "、".join(one.called for one in behind)
        yield Trouble("schema", f"{names} 的程序比数据库旧", "换上新版本后重启这些进程")


def _of_one(one: Seen) -> Iterator[Trouble]:
    if one.offset_ms is not None and abs(one.offset_ms) > OFF_MS:
        way = "快" if one.offset_ms > 0 else "慢"
        words = f"{one.host} 的时钟比数据库{way} {span(abs(one.offset_ms) / 1000)}"
        yield Trouble(f"clock:{one.host}", words, f"在 {one.host} 上启动时间同步(chrony、timesyncd)")
    if one.pool_size and (one.pool_used or 0) >= FULL_POOL * one.pool_size:
        words = f"{one.called} 的数据库连接用到 {one.pool_used}/{one.pool_size}"
        yield Trouble(f"pool:{one.id}", words, "看数据库是否慢；再起一个进程分担")
    for folder, left in one.disks.items():
        if left < LEAST_DISK:
            words = f"{one.host} 上 {folder} 只剩 {left / 2**30:.1f} GiB"
            yield Trouble(f"disk:{one.host}:{folder}", words, "清理磁盘或换目录", True)
    for name, wrong in one.reach.items():
        if wrong:
            yield Trouble(
                f"reach:{one.host}:{name}", f"从 {one.host} 连不上 {name}: {wrong}", "核对该机的网络与地址"
            )


def _alone(here: Sequence[Seen], needs: Needs) -> Iterator[Trouble]:
    """The clocks on a single machine stand still with it."""
    hosts = {duty: {one.host for one in here if duty in one.duties} for duty in CLOCKS}
    alone = sorted(duty for duty, where in hosts.items() if len(where) == 1)
    if needs.spread and alone:
        where = "、".join(sorted({host for duty in alone for host in hosts[duty]}))
        words = f"{' '.join(alone)} 只在 {where} 上运行，这台机器停了就没有人提醒"
        yield Trouble("alone", words, "在另一台机器上再起 huiying worker respond deliver")
