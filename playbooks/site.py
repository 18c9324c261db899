"""One duty team's site: every file read, checked together, and joined to what the program needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from models.core.moment import local
from models.core.roster import Roster
from models.core.standards import Standards
from models.core.topics import Path as Branch
from models.core.vocabulary import Medium
from models.core.workdays import Calendar
from playbooks import access_paper, statements_paper
from playbooks.access_paper import AccessSource
from playbooks.addressing import kinds_of, misaddressed, misaddressed_alarm
from playbooks.assessment_paper import AssessmentSource, RegistersSource, strange_counters, too_light
from playbooks.book import Library
from playbooks.channels_paper import ChannelsSource
from playbooks.checked import checked
from playbooks.grading_paper import GradingSource, loosening
from playbooks.grading_paper import over as graded_over
from playbooks.holidays import HolidaysSource, odd, over, running_out
from playbooks.hooks_paper import OutHookSource
from playbooks.levels_paper import LevelsSource, NeighbourSource
from playbooks.loader import Document, load
from playbooks.mapping_paper import survey_mappings
from playbooks.meetings_paper import DossiersSource, MeetingsSource
from playbooks.papers import (
    AlarmSource,
    ClusteringSource,
    ConsoleSource,
    HeartbeatSource,
    HttpSource,
    KafkaSource,
    PrefectSource,
    RetentionSource,
    SiteSource,
)
from playbooks.plans import Watch, strangers, unsound, watch_of
from playbooks.plans_paper import PlansSource
from playbooks.problem import Problem, Problems, did_you_mean, errors, listed
from playbooks.reports_paper import ReportsSource
from playbooks.roster_paper import RosterSource
from playbooks.rota import dangling, doubled, roster_of, unheard, unmapped
from playbooks.secret import SECRET_KEYS, Secrets, leaks, unset
from playbooks.shelf import PROFILES, Overlay, profile_names, read_playbooks, read_profile, shelve
from playbooks.sources_paper import SourcesSource
from playbooks.statements_paper import StatementsSource
from playbooks.topics_paper import read_topics
from playbooks.tracing_paper import TracingSource, unpacked
from playbooks.work_paper import WorkSource

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Site:
    """All settings of a site. `channels` are plain dicts whose secrets are still references;
    `secrets` turns one into its value."""

    directory: Path
    name: str
    region: str
    profile: str
    database_url: str = field(repr=False)
    sources: SourcesSource
    roster: Roster
    channels: tuple[dict[str, Any], ...] = field(repr=False)
    library: Library
    calendar: Calendar = field(repr=False)
    watch: Watch = field(repr=False)
    console: ConsoleSource
    kafka: KafkaSource = field(repr=False)
    prefect: PrefectSource
    http: HttpSource
    production: bool
    retention: RetentionSource
    clustering: ClusteringSource
    grading: Standards = field(repr=False)
    heartbeat: HeartbeatSource
    alarm: AlarmSource
    secrets: Secrets = field(repr=False)
    personal_data: str = "mask"
    personal_key: str | None = field(default=None, repr=False)
    review: bool = False
    reports: ReportsSource = field(default_factory=ReportsSource)
    registers: RegistersSource = field(default_factory=RegistersSource)
    assessment: AssessmentSource = field(default_factory=AssessmentSource)
    statements: StatementsSource = field(default_factory=StatementsSource)
    meetings: MeetingsSource = field(default_factory=MeetingsSource)
    dossiers: DossiersSource = field(default_factory=DossiersSource)
    work: WorkSource = field(default_factory=WorkSource)
    access: AccessSource = field(default_factory=AccessSource, repr=False)
    topics: tuple[Branch, ...] = field(default=(), repr=False)
    hooks: tuple[OutHookSource, ...] = field(default=(), repr=False)
    tracing: TracingSource = field(default_factory=TracingSource, repr=False)
    levels: LevelsSource = field(default_factory=LevelsSource, repr=False)
    neighbours: tuple[NeighbourSource, ...] = ()


def load_site(directory: Path, environ: Mapping[str, str]) -> Site:
    """The site in `directory`. Raises Problems with every error of every file in one go."""
    site, problems = survey(directory, environ)
    if site is None or errors(problems):
        raise Problems(errors(problems))
    return site


def survey(
    directory: Path, environ: Mapping[str, str] | None, now: datetime | None = None
) -> tuple[Site | None, list[Problem]]:
    """The site and everything found in it; None when a file of it could not be used.

    `environ` None: references to secrets are not followed (lint on another machine). `now`: the
    roster of the week that begins then is looked at for holes.
    """
    directory = Path(directory).resolve()
    problems: list[Problem] = []
    if not (directory / "site.yaml").is_file():
        missing = Problem(
            str(directory / "site.yaml"), 1, 1, "没有 site.yaml", f"huiying init {directory.name} 写出一份"
        )
        return None, [missing]
    secrets = Secrets(environ or {}, directory)
    papers = _Papers(directory, problems)
    own = read_playbooks(sorted((directory / "playbooks").glob("*.y*ml")), problems)
    for document in papers.documents.values():
        problems.extend(leaks(document))
        if environ is not None:  # a channel without its secret refuses aloud; the rest of the site works
            problems.extend(replace(found, warning=True) for found in unset(document, secrets))
    problems.extend(_crossed(papers, now))
    problems.extend(replace(found, warning=environ is not None) for found in survey_mappings(directory))
    if papers.site is None:
        return None, problems
    chain = _profile(directory, papers.site.profile, papers.documents["site"], problems)
    problems.extend(_examples(papers.documents["site"], chain))
    library = shelve(chain, own, problems)
    problems.extend(too_light(papers.documents["site"], papers.site.assessment, library))
    problems.extend(strange_counters(papers.documents["site"], papers.site.registers, library))
    problems.extend(_years(papers, library, now))
    problems.extend(_heights(papers.documents.get("roster"), papers.roster, library))
    if papers.site.playbooks.review:  # the files are drafts; what is in force comes from the ledger
        library = shelve(chain, [], [])
    return (None if errors(problems) else _join(directory, papers, library, secrets)), problems


class _Papers:
    """The files of a site; one that is not there is an empty one, one that is wrong is None."""

    def __init__(self, directory: Path, problems: list[Problem]) -> None:
        self.documents: dict[str, Document] = {}
        self._directory = directory
        self._problems = problems
        self.site = self._read(SiteSource, "site")
        self.sources = self._read(SourcesSource, "sources")
        self.channels = self._read(ChannelsSource, "channels")
        self.roster = self._read(RosterSource, "roster")
        self.plans = self._read(PlansSource, "plans")
        self.holidays = self._read(HolidaysSource, "holidays")
        self.grading = self._read(GradingSource, "grading")
        self.topics = self._topics()

    def _topics(self) -> tuple[Branch, ...]:
        """The site's own classification, where site.yaml names one."""
        if self.site is None or not self.site.topics:
            return ()
        path = self._directory / self.site.topics
        if not path.is_file():
            hint = "放进这个文件，或在 site.yaml 去掉 topics"
            missing = f"没有主题分类表 {self.site.topics}"
            self._problems.append(self.documents["site"].problem(("topics",), missing, hint))
            return ()
        try:
            topics, odd_ones = read_topics(path)
        except Problems as found:
            self._problems.extend(found.problems)
            return ()
        self._problems.extend(odd_ones)
        return topics

    def _read(self, model: type[M], name: str) -> M | None:
        path = self._directory / f"{name}.yaml"
        try:
            document = load(path) if path.exists() else Document(str(path), {}, {}, {})
            self.documents[name] = document
            return checked(model, document)
        except Problems as found:
            self._problems.extend(found.problems)
            return None


def _crossed(papers: _Papers, now: datetime | None) -> list[Problem]:
    """What is wrong between the files, as far as they could be read."""
    found: list[Problem] = []
    known = _ids(papers.channels.channels) if papers.channels else None
    if known is not None:
        found.extend(doubled(papers.documents["channels"], "channels", known))
    if papers.plans is not None:
        document = papers.documents["plans"]
        found.extend(doubled(document, "plans", _ids(papers.plans.plans)))
        found.extend(doubled(document, "bursts", _ids(papers.plans.bursts)))
        found.extend(unsound(document, papers.plans))
        found.extend(strangers(document, papers.plans, papers.roster, papers.sources))
    if papers.grading is not None:
        found.extend(loosening(papers.documents["grading"], papers.grading))
    if papers.holidays is not None:
        found.extend(odd(papers.documents["holidays"], papers.holidays))
    if papers.roster is not None:
        found.extend(dangling(papers.documents["roster"], papers.roster, known, now))
    if papers.site is not None and known is not None:
        found.extend(unheard(papers.documents["site"], papers.site.alarm, known))
    if papers.channels is not None and papers.roster is not None:
        found.extend(unmapped(papers.documents["channels"], papers.channels, papers.roster))
    found.extend(_addresses(papers))
    if papers.site is not None:
        own, host = papers.site, papers.site.console.host
        found.extend(access_paper.open_to_others(papers.documents["site"], own.access, host, own.production))
    if papers.site is not None:
        found.extend(unpacked(papers.documents["site"], papers.site.tracing))
    if papers.site is not None and papers.roster is not None:
        site = papers.documents["site"]
        found.extend(statements_paper.strangers(site, papers.site.statements, papers.roster))
    if papers.sources is not None:
        found.extend(_sources(papers.documents["sources"], papers.sources, papers.site))
    return found


def _addresses(papers: _Papers) -> Iterator[Problem]:
    """Addresses that their channel cannot call anybody by."""
    if papers.channels is None:
        return
    kinds = kinds_of(papers.channels)
    if papers.roster is not None:
        yield from misaddressed(papers.documents["roster"], papers.roster, kinds)
    if papers.site is not None:
        yield from misaddressed_alarm(papers.documents["site"], papers.site.alarm, kinds)


def _ids(records: Iterable[Any]) -> list[str]:
    return [record.id for record in records]


def _profile(directory: Path, name: str, document: Document, problems: list[Problem]) -> list[Overlay]:
    if name.endswith((".yaml", ".yml")):
        return read_profile(directory / name, problems)
    if name in profile_names():
        return read_profile(PROFILES / f"{name}.yaml", problems)
    message = f"没有参数集 “{name}”{did_you_mean(name, profile_names())}"
    problems.append(document.problem(("profile",), message, f"可用：{listed(profile_names())}"))
    return []


def _examples(document: Document, chain: Iterable[Overlay]) -> list[Problem]:
    """A profile that is only an example is not to be used unread."""
    return [
        document.problem(
            ("profile",),
            f"参数集 “{overlay.profile.id}” 只是示例，依据是单一或二手来源",
            "核对原文后，抄成自己的参数集再用",
            warning=True,
        )
        for overlay in chain
        if overlay.profile.example
    ]


def _sources(document: Document, sources: SourcesSource, site: SiteSource | None) -> list[Problem]:
    found: list[Problem] = []
    seen: set[str] = set()
    for key in ("feeds", "tickets", "official"):
        for n, source in enumerate(getattr(sources, key)):
            if source.id in seen:
                found.append(document.problem((key, n, "id"), f"信源标识 “{source.id}” 重复了", "换一个"))
            seen.add(source.id)
            if key != "official" and source.medium is Medium.OFFICIAL:
                message = "medium: official 不会让它成为我方发布：既不立案，也不能停钟"
                hint = "我方自己的渠道写在 official 下；别人的换一个渠道种类"
                found.append(document.problem((key, n, "medium"), message, hint, warning=True))
    if site is not None and site.kafka.bootstrap and sources.kafka is not None and sources.kafka.bootstrap:
        found.append(document.problem(("kafka",), "kafka 在 site.yaml 里也写了", "留一处", key=True))
    return found


def _heights(document: Document | None, roster: RosterSource | None, library: Library) -> list[Problem]:
    """Warn of an empty ladder, and of steps above the top of the ladder."""
    if document is None or roster is None:
        return []
    top = max((rung.rung for rung in roster.ladder), default=0)
    if not top:
        hint = "在 roster.yaml 里写 ladder"
        return [document.problem((), "没有值班阶梯，提醒发不到任何人", hint, warning=True)]
    above = "、".join(str(rung) for rung in sorted(_rungs(library)) if rung > top)
    if not above:
        return []
    message = f"预案用到第 {above} 级，值班阶梯最高第 {top} 级：这些步骤由第 {top} 级负责"
    return [document.problem(("ladder",), message, "补上更高的级", key=True, warning=True)]


def _years(papers: _Papers, library: Library, now: datetime | None) -> Iterable[Problem]:
    """Warn of a year without a calendar where a clock counts working days."""
    if now is None or papers.holidays is None or not library.counts_days():
        return ()
    calendar = over(papers.holidays)
    return running_out(papers.documents["holidays"], calendar, local(now).date())


def _rungs(library: Library) -> set[int]:
    """Every rung that some step of the library speaks to."""
    rules = [clock.rule for book in library.playbooks for clock in book.clocks]
    steps = {step.rung for rule in rules for step in rule.steps}
    return steps | {rule.repeat_rung for rule in rules if rule.repeat is not None}


def _join(directory: Path, papers: _Papers, library: Library, secrets: Secrets) -> Site | None:
    site, sources, channels, roster = papers.site, papers.sources, papers.channels, papers.roster
    plans, holidays, grading = papers.plans, papers.holidays, papers.grading
    if site is None or sources is None or channels is None or roster is None:
        return None
    if plans is None or holidays is None or grading is None:
        return None
    return Site(
        directory=directory,
        name=site.name,
        region=site.region,
        profile=site.profile,
        database_url=_database(directory, site.database, secrets),
        sources=sources,
        roster=roster_of(roster),
        channels=tuple(_settings(channel, secrets) for channel in channels.channels),
        library=library,
        calendar=over(holidays),
        watch=watch_of(plans),
        console=site.console,
        kafka=sources.kafka if sources.kafka is not None and not site.kafka.bootstrap else site.kafka,
        prefect=site.prefect,
        http=site.http,
        production=site.production,
        retention=site.retention,
        clustering=site.clustering,
        grading=graded_over(grading),
        heartbeat=site.heartbeat,
        alarm=site.alarm,
        secrets=secrets,
        personal_data=site.personal_data,
        personal_key=site.personal_key,
        review=site.playbooks.review,
        statements=site.statements,
        registers=site.registers,
        assessment=site.assessment,
        meetings=site.meetings,
        dossiers=site.dossiers,
        reports=site.reports,
        work=site.work,
        hooks=site.hooks,
        tracing=site.tracing,
        levels=site.levels,
        neighbours=site.neighbours,
        access=site.access,
        topics=papers.topics,
    )


def _database(directory: Path, url: str | None, secrets: Secrets) -> str:
    """The URL with its references followed; without an environment they stay as they are."""
    url = url or "sqlite:///{dir}/huiying.sqlite"
    return (secrets(url) if secrets.environ else url).replace("{dir}", directory.as_posix())


def _settings(channel: BaseModel, secrets: Secrets) -> dict[str, Any]:
    """A channel's settings as written: references in ordinary values followed, secrets left."""
    given = channel.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    return {
        key: secrets(value)
        if isinstance(value, str) and key not in SECRET_KEYS and secrets.environ
        else value
        for key, value in given.items()
    }
