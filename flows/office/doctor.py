"""`huiying doctor`: what is missing or wrong, and the command that mends it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors import broker, otlp
from connectors.ports import ConnectorError
from flows.collecting.following import broker_settings
from flows.office import entrance, machines
from flows.office.coverage import PARTS
from flows.telling import slack_duties, tracing
from flows.timekeeping import machine_now
from flows.wiring import House
from models.core.fleet import LEAST_DISK
from models.core.moment import local
from models.ledger import duties, presence
from models.ledger.store import LedgerError, Store
from playbooks.holidays import lacking, what_to_do
from playbooks.problem import Problems
from playbooks.site import Site, survey

Finding = dict[str, Any]


def examine(directory: Path) -> list[Finding]:
    """Every check that can be made; one that depends on a failed one is left out."""
    site, problems = survey(directory, os.environ, machine_now())
    findings = [
        _found("站点文件", False, str(problem), "改这一行，再运行 huiying lint", problem.warning)
        for problem in problems
    ]
    if site is None:
        return findings
    findings.append(_found("站点文件", True, f"{site.name}，预案 {len(site.library.playbooks)} 份"))
    findings += [*_database(site), *_weights(), *_roster(site), *_disk(directory)]
    try:
        with House.open(directory) as house:
            findings += [
                *_channels(house),
                *_slack(house),
                *_mail(house),
                *_links(house),
                *_kafka(house),
                *_prefect(house),
                *_machines(house),
                *_tracing(house),
                *_calendar(house),
                *_reports(house),
                *_entrance(house),
            ]
    except (LedgerError, Problems) as error:
        findings.append(_found("打开站点", False, str(error), "先修好上面各项"))
    return findings


def _found(what: str, ok: bool, detail: str, mend: str = "", warning: bool = False) -> Finding:
    """A warning is worth a look before long; it does not make the answer a no."""
    return {"what": what, "ok": ok or warning, "warning": warning and not ok, "detail": detail, "mend": mend}


def _database(site: Site) -> Iterator[Finding]:
    store = Store(site.database_url)
    try:
        store.migrate()
        yield _found("数据库", True, store.shown)
    except LedgerError as error:
        yield _found("数据库", False, str(error), "启动数据库，或改 site.yaml 的 database")
    finally:
        store.close()


def _weights() -> Iterator[Finding]:
    from models.classify.judge import Judge
    from models.classify.weights_file import WeightsError

    try:
        yield _found("分类器", True, str(dict(Judge.load().versions)))
    except WeightsError as error:
        yield _found(
            "分类器", False, str(error), "huiying train --data DIR，或重新取出 models/classify/weights"
        )


def _roster(site: Site) -> Iterator[Finding]:
    if not site.roster.ladder:
        yield _found("值班表", False, "没有阶梯，提醒无人可送", "填写 roster.yaml 的 ladder")
        return
    silent = [person.name for person in site.roster.people if not person.contacts]
    yield _found(
        "值班表",
        not silent,
        f"{len(site.roster.people)} 人" + (f"，没有联系方式: {'、'.join(silent)}" if silent else ""),
        "补 roster.yaml 的 contacts",
    )


def _disk(directory: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(directory).free
    yield _found("磁盘", free > LEAST_DISK, f"剩余 {free / 2**30:.1f} GiB", "清理磁盘或换目录")


def _channels(house: House) -> Iterator[Finding]:
    for channel in house.channels.values():
        wrong = channel.check()
        yield _found(
            f"渠道 {channel.id}", wrong is None, wrong or channel.type, "改 channels.yaml 或设置环境变量"
        )
    if not house.channels:
        yield _found("渠道", False, "没有登记渠道，提醒发不出去", "在 channels.yaml 里登记")


def _mail(house: House) -> Iterator[Finding]:
    """Each mail server is greeted as for a letter; nothing is sent."""
    from connectors.channels.mail import Mail

    for channel in house.channels.values():
        if isinstance(channel, Mail):
            wrong = channel.greet()
            mend = "核对 channels.yaml 的 host、tls、username、password（见 docs/邮件短信.md）"
            yield _found(f"邮件服务器 {channel.id}", wrong is None, wrong or f"{channel.host} 可发信", mend)


def _links(house: House) -> Iterator[Finding]:
    """Messages to telephones without a link to press make an officer look for the console."""
    written = [str(one["id"]) for one in house.site.channels if one["type"] not in ("terminal", "webhook")]
    url = house.site.console.public_url
    if written and not url:
        detail = f"没有写 public_url，{'、'.join(written)} 的消息里没有签收链接"
        yield _found(
            "签收链接", False, detail, "在 site.yaml 的 console 写 public_url: https://…", warning=True
        )
    elif written and url and not url.startswith("https://"):
        detail = f"{url} 不加密，签收链接在路上谁都看得见"
        yield _found("签收链接", False, detail, "换成 https:// 的地址", warning=True)


def _slack(house: House) -> Iterator[Finding]:
    """Slack is asked who the bot is and what it may."""
    if not slack_duties.listed(house):
        return
    from flows.office.slack_scopes import findings  # Slack's client, only where there is a Slack
    from flows.telling.slack_people import slacks

    for channel in slacks(house):
        for ok, detail, warning in findings(channel):
            mend = "在 Slack 应用的 OAuth & Permissions 里加上，重新安装（清单见 deploy/slack/manifest.yaml）"
            yield _found(f"Slack 权限 {channel.id}", ok, detail, mend, warning)


def _kafka(house: House) -> Iterator[Finding]:
    if house.site.kafka.enabled or house.site.kafka.publishes:
        wrong = _broker(house)
        yield _found(
            "Kafka", wrong is None, wrong or house.site.kafka.bootstrap, "启动 Kafka，或改 site.yaml 的 kafka"
        )


def _broker(house: House) -> str | None:
    try:
        return broker.check(broker_settings(house))
    except ConnectorError as error:  # a secret that is not set
        return str(error)


def _prefect(house: House) -> Iterator[Finding]:
    if not house.site.prefect.enabled:
        return
    with house.store.read() as conn:
        beat = next((row for row in duties.all_duties(conn) if row.name == "prefect"), None)
    if beat is None or beat.last_good_at is None:
        yield _found("Prefect", True, "尚未启动(huiying run 会启动它；没有它时钟照走)")
    else:
        yield _found(
            "Prefect",
            not beat.error,
            beat.error or f"最近一次 {beat.last_good_at:%m-%d %H:%M}",
            "huiying serve",
        )


def _tracing(house: House) -> Iterator[Finding]:
    """The collector is sent nothing: whether it could be is seen from the packages and the secrets."""
    if house.site.tracing.endpoint is None:
        return
    try:
        wrong, shown = otlp.missing(), tracing.collector(house).endpoint
    except ConnectorError as error:
        wrong, shown = str(error), ""
    yield _found("追踪外送", wrong is None, wrong or shown, "改 site.yaml 的 tracing，或装好再启动")


def _machines(house: House) -> Iterator[Finding]:
    """Every process of every machine by its last word, and what is wrong among them."""
    now, pace = house.time.now(), house.time.speed
    with house.store.read() as conn:
        fleet, found = presence.known(conn), machines.standing(conn, house, now, PARTS, spread=True)
        crowded = machines.crowded(conn)
    yield _found("机器与进程", True, machines.in_words(fleet, now, pace))
    for one in found:
        yield _found("机器与进程", False, one.words, one.mend, warning=not one.grave)
    if crowded:
        yield _found("数据库连接", False, crowded, "调大 max_connections，或在前面加连接池", warning=True)


def _calendar(house: House) -> Iterator[Finding]:
    """From November on next year's calendar must be there, or working-day clocks will be refused."""
    missing = lacking(house.calendar, local(house.time.now()).date())
    if not missing:
        yield _found("工作日历", True, f"已有至 {max(house.calendar)} 年")
    for year in missing:
        detail = "没有放假安排，工作日时限会被拒绝"
        yield _found(f"{year} 年工作日历", False, detail, what_to_do(year), warning=True)


def _entrance(house: House) -> Iterator[Finding]:
    with house.store.read() as conn:
        found = entrance.standing(conn, house)
    if found is not None:
        well, words, mend = found
        yield _found("账号", well, words, mend, warning=not well)


def _reports(house: House) -> Iterator[Finding]:
    """Without a Chinese font a report's pictures and PDF would be empty boxes, so they are refused."""
    from connectors.reports import typeset
    from connectors.reports.paper import ReportError
    from flows.reporting.asking import templates

    try:
        there = typeset.faces(templates(house))
        yield _found("报告", True, f"字体 {there['fang'][0]}")
    except ReportError as error:
        yield _found("报告", False, str(error), "安装字体或改 site.yaml 的 reports", warning=True)
