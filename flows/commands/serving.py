"""huiying run, console, worker, serve: the running parts."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import SiteOption, fail, plainly, quiet_logs, say, site_dir
from flows.duty import DUTIES
from flows.processes.stopping import StopRequest, end_in_order
from flows.wiring import House

ROOT = Path(__file__).resolve().parent.parent.parent
DEMO = ROOT / "deploy" / "demo"
LOOPBACK = "127.0.0.1"
MetricsPort = Annotated[int | None, typer.Option(help="在这个端口答复本进程的 /metrics；不写则不开")]
MetricsHost = Annotated[str, typer.Option(help="/metrics 的监听地址，缺省只给本机")]
DEMO_SPEED = 1440.0
"""48 hours in two minutes."""


def run(
    site: SiteOption = None,
    speed: Annotated[float | None, typer.Option(help="一秒走 N 秒(演示与测试用)")] = None,
    port: Annotated[int | None, typer.Option(help="页面端口")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="演示站点: 临江市的 48 小时")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="演示从头开始")] = False,
    prefect: Annotated[bool, typer.Option(help="是否启动 Prefect")] = True,
) -> None:
    """单机运行全部: 收集、研判、时钟、发送、核对、审计、页面、Prefect。"""
    from flows.office import entrance
    from flows.processes.running import CannotRun, Options, Running

    quiet_logs("run")
    request = StopRequest()
    directory = _demo_site(fresh) if demo and site is None else site_dir(site)
    rate = speed if speed is not None else (DEMO_SPEED if demo else 1.0)
    with plainly():
        try:
            running = Running.prepare(directory, Options(rate, port, prefect, demo, say))
            running.start()
        except CannotRun as error:
            fail(str(error))
    say(f"值班台 {running.house.public_url}   (Ctrl-C 停止)")
    if (wrong := entrance.unguarded(running.house)) is not None:
        say(f"注意: {wrong}。{entrance.ENABLE}")
    if running.prefect_url:
        say(f"Prefect {running.prefect_url}   (正在后台启动)")
    if rate != 1:
        say(f"时间以 {rate:g} 倍速行走，此刻是 {running.now:%Y-%m-%d %H:%M}")
    request.wait()
    say("正在停止 …")
    running.stop()
    say("已停止；再次启动会从停下的地方继续。")


def _demo_site(fresh: bool) -> Path:
    """A working copy of the demonstration site, so that the sources stay as they were shipped."""
    copy = Path("var") / "demo"
    if fresh and copy.exists():
        shutil.rmtree(copy)
    copy.mkdir(parents=True, exist_ok=True)
    for path in DEMO.glob("*.yaml"):
        shutil.copyfile(path, copy / path.name)
    (copy / "tickets").mkdir(exist_ok=True)
    return copy.resolve()


def console(
    site: SiteOption = None,
    port: Annotated[int | None, typer.Option(help="页面端口")] = None,
    host: Annotated[str | None, typer.Option(help="监听地址")] = None,
) -> None:
    """只运行页面与接口。"""
    from connectors.console.app import build, server
    from flows.office import entrance
    from flows.office.desk import Desk
    from flows.processes.presence import telling

    quiet_logs("console")
    end_in_order()
    with plainly(), House.open(site_dir(site)) as house, telling(house, "console"):
        house.port = port or house.site.console.port
        say(f"值班台 {house.public_url}")
        if (wrong := entrance.unguarded(house, host or "")) is not None:
            say(f"注意: {wrong}。{entrance.ENABLE}")
        server(build(Desk(house), names=house.host_names), host or house.site.console.host, house.port).run()


def worker(
    names: Annotated[list[str] | None, typer.Argument(help=f"{' '.join(DUTIES)}；缺省全部")] = None,
    site: SiteOption = None,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = LOOPBACK,
) -> None:
    """不经 Prefect 直接运行各流程，可起任意多个。"""
    from flows.processes.loop import ClockLoop
    from flows.processes.metered import Own, metered
    from playbooks.problem import did_you_mean

    quiet_logs("worker")
    for name in names or ():
        if name not in DUTIES:
            fail(f"没有流程 {name}{did_you_mean(name, DUTIES)}；有: {' '.join(DUTIES)}", 2)
    with plainly(), House.open(site_dir(site)) as house:
        request = StopRequest()
        loop = ClockLoop(house, tuple(names) if names else None, kind="worker")
        with metered(Own(house, loop.lookout), metrics_port, metrics_host):
            loop.start()
            say(f"运行中: {' '.join(names or DUTIES)}   (Ctrl-C 停止)")
            request.wait()
            loop.stop()


def serve(
    site: SiteOption = None, metrics_port: MetricsPort = None, metrics_host: MetricsHost = LOOPBACK
) -> None:
    """Prefect 侧: 登记部署、以流程运行各项工作、记录事件经过。地址取 PREFECT_API_URL。"""
    from flows.duty import SLOW
    from flows.processes.deployed import house_of
    from flows.processes.metered import Own, metered
    from flows.processes.presence import telling
    from flows.processes.serve import serve as serve_forever

    quiet_logs("serve")
    end_in_order()
    with plainly():
        house = house_of(str(site_dir(site)))
        try:
            with telling(house, "serve", SLOW), metered(Own(house), metrics_port, metrics_host):
                asyncio.run(serve_forever(site_dir(site)))
        except (KeyboardInterrupt, asyncio.CancelledError):
            say("Prefect 侧已停止")
