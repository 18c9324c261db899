"""责任: 属地管理、分级负责、谁主管谁负责 as rules over place, topic, grade and the units of the roster.

国办发〔2016〕61号 (N-001), 黔财办〔2017〕14号 (七)1 (S-010), 大理州2022年要点 二(二) (S-014). What comes out is
a proposal with its reasons; a person assigns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.core.casework import Level
from models.core.roster import Unit
from models.core.vocabulary import Grade

LOCAL = "属地管理 国办发〔2016〕61号 [N-001]"
TOPICAL = "谁主管谁负责 国办发〔2016〕61号 [N-001]"
SUPERIOR = "跨地方的由上级主管部门负责 国办发〔2016〕61号 [N-001]"
TOGETHER = "跨部门的通盘谋划、统一口径 2022年大理州政务公开工作要点 二(二) [S-014]"
PRINCIPAL = "特别重大的由本级政府主要负责人负领导责任 国办发〔2016〕61号 [N-001]"
COORDINATES = "政府办公室会同宣传部门协调 国办发〔2016〕61号 [N-001]"


@dataclass(frozen=True, slots=True)
class Matter:
    """What is known of an incident when its owner is sought: where, what about, how grave. `words`: what its
    topics may be called, by identifier or in Chinese, each with its name for people; `text`: its title."""

    places: tuple[str, ...]
    words: Mapping[str, str]
    text: str
    grade: Grade


@dataclass(frozen=True, slots=True)
class Proposed:
    """Who should own it: unit ids, and why, each reason with its rule. `principal`: the head of the government
    leads; `joint`: several departments speak with one wording."""

    lead: str | None
    others: tuple[str, ...]
    coordinator: str | None
    reasons: tuple[str, ...]
    principal: bool = False
    joint: bool = False


def resolve(matter: Matter, units: Sequence[Unit]) -> Proposed:
    """The proposal; `lead` is None where no unit of the roster fits, and the reasons say what is missing."""
    coordinator = next((unit for unit in units if unit.coordinates), None)
    fitting = [unit for unit in units if not unit.coordinates and _concerns(unit, matter)]
    able = [unit for unit in fitting if _covers(unit, matter.places)] or _over(fitting, matter.places)
    ranked = sorted(able, key=lambda unit: _rank(unit, matter))
    lead = ranked[0] if ranked else None
    others = _others(ranked[1:], lead) if lead else ()
    return Proposed(
        lead.id if lead else None,
        tuple(unit.id for unit in others),
        coordinator.id if coordinator else None,
        tuple(_reasons(matter, lead, others, coordinator)),
        principal=matter.grade is Grade.I,
        joint=bool(others),
    )


def _concerns(unit: Unit, matter: Matter) -> bool:
    """Does it answer for one of the topics (or for all, naming none), and for one of the places?"""
    topical = not unit.topics or bool(_hits(unit, matter))
    return (
        bool(unit.topics or unit.places) and topical and (not unit.places or _local(unit, matter.places) > 0)
    )


def _hits(unit: Unit, matter: Matter) -> tuple[str, ...]:
    return tuple(topic for topic in unit.topics if topic in matter.words or topic in matter.text)


def _local(unit: Unit, places: Sequence[str]) -> int:
    """How many of the places lie in what it governs: 临江市 governs 临江市滨江区."""
    return sum(any(own in place for own in unit.places) for place in places)


def _covers(unit: Unit, places: Sequence[str]) -> bool:
    return not unit.places or _local(unit, places) == len(places)


def _over(units: Sequence[Unit], places: Sequence[str]) -> list[Unit]:
    """Nobody covers every place: those that cover some stand in for it, the widest first."""
    most = max((_local(unit, places) for unit in units), default=0)
    return [unit for unit in units if most and _local(unit, places) == most]


def _rank(unit: Unit, matter: Matter) -> tuple[int, int, int]:
    """Whoever answers for the topic comes before whoever answers for the place alone; then the nearest
    to the ground; several places lift it to the superior one, which alone covers them."""
    return (-len(_hits(unit, matter)), _depth(unit), -max((len(own) for own in unit.places), default=0))


def _depth(unit: Unit) -> int:
    """0 for the lowest level; a unit without one counts as a county's."""
    return tuple(Level).index(unit.level or Level.COUNTY)


def _others(ranked: Sequence[Unit], lead: Unit) -> tuple[Unit, ...]:
    """Departments of another topic, and beside a department the place's own government, the nearest alone;
    never a superior in the lead's own line."""
    departments = [unit for unit in ranked if unit.topics and not set(unit.topics) & set(lead.topics)]
    local = [unit for unit in ranked if not unit.topics][:1] if lead.topics else []
    return (*departments, *local)


def _reasons(
    matter: Matter, lead: Unit | None, others: Sequence[Unit], coordinator: Unit | None
) -> list[str]:
    said = [_why(lead, matter)] if lead else [_nobody(matter)]
    if lead and len(matter.places) > 1 and lead.places:
        said.append(f"涉及 {'、'.join(matter.places)}: {SUPERIOR}")
    if others:
        said.append(f"{'、'.join(unit.name for unit in others)}协办: {TOGETHER}")
    if matter.grade is Grade.I:
        said.append(PRINCIPAL)
    return [*said, f"{coordinator.name}: {COORDINATES}"] if coordinator else said


def _why(unit: Unit, matter: Matter) -> str:
    hits = _hits(unit, matter)
    named = "、".join(dict.fromkeys(matter.words.get(hit, hit) for hit in hits))
    about = f"{unit.name}主管{named}: {TOPICAL}" if hits else f"{unit.name}: {LOCAL}"
    return f"{about}；地点 {'、'.join(matter.places)}" if unit.places and matter.places else about


def _nobody(matter: Matter) -> str:
    where = "、".join(matter.places) or "地点不明"
    return f"值班表的单位没有写明由谁管 {where} 的这类事；请在 roster.yaml 的 units 写 places、topics，或直接交办"


def speaks_for(unit: str, own: Sequence[str], rung: int) -> bool:
    """May somebody of the unit `own` (its id and name) answer for `unit`? From the second rung on anybody's."""
    return unit in own or rung >= 2
