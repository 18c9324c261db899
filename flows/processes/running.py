"""`huiying run`: everything of a site on one machine, supervised by one command."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from connectors.console.app import Server, build, server
from flows import timekeeping
from flows.demo import Demonstration
from flows.office.desk import Desk
from flows.processes import children
from flows.processes.children import Prefect
from flows.processes.loop import ClockLoop
from flows.wiring import House
from models.core.moment import local


class CannotRun(Exception):
    """The site cannot be started; the words say what to mend."""


@dataclass
class Options:
    """How to run: `speed` seconds pass in one; port None = the site's own."""

    speed: float = 1.0
    port: int | None = None
    prefect: bool = True
    demo: bool = False
    tell: Callable[[str], object] = sys.stderr.write


@dataclass
class Running:
    """A running site: `start()` it, and `stop()` it when asked to."""

    house: House
    options: Options
    loop: ClockLoop = field(init=False)
    server: Server = field(init=False)
    server_thread: threading.Thread = field(init=False)
    demo: Demonstration | None = None
    prefect: Prefect | None = None
    prefect_url: str | None = None

    @classmethod
    def prepare(cls, directory: Path, options: Options) -> Running:
        house = House.open(directory)
        house.port = options.port or house.site.console.port
        if not children.is_free(house.site.console.host, house.port):
            house.close()
            raise CannotRun(f"端口 {house.port} 已被占用；用 --port 换一个")
        if options.speed != 1.0 and house.site.production:
            house.close()
            raise CannotRun("site.yaml 写明 production: true，正式环境不能加速运行；去掉 --speed")
        if options.speed <= 0:
            raise CannotRun("--speed 必须大于 0")
        try:
            house.time = timekeeping.start(house.store, options.speed)
        except timekeeping.WrongTime as error:
            house.close()
            raise CannotRun(str(error)) from None
        return cls(house, options)

    def start(self) -> None:
        """Console first, then the clocks, then Prefect: the board is up before anything slow."""
        self.loop = ClockLoop(self.house)
        self._serve_console()
        if self.options.demo:
            self.demo = Demonstration.begin(self.house, self.options.tell)
        self.loop.start()
        wanted = self.house.site.prefect
        if self.options.prefect and wanted.enabled:
            home = self.house.state_dir / "prefect"
            self.prefect = Prefect(home, self.house.site.directory, wanted.port, wanted.api_url)
            self.prefect_url = self.prefect.start()

    def _serve_console(self) -> None:
        host, port = self.house.site.console.host, self.house.port or 0
        poll = 0.5 if self.house.time.speed == 1 else 0.25
        app = build(Desk(self.house), poll_s=poll, names=self.house.host_names)
        self.server = server(app, host, port)
        self.server_thread = threading.Thread(target=self.server.run, name="console", daemon=True)
        self.server_thread.start()
        while not self.server.started and self.server_thread.is_alive():
            time.sleep(0.02)
        if not self.server_thread.is_alive():
            raise CannotRun(f"值班台不能在 {host}:{port} 启动；原因见上面一行")

    def stop(self) -> None:
        """Stop in the reverse order, each finishing what it holds; then note the time."""
        if self.prefect:
            for child in self.prefect.children:
                child.ask_to_stop()
        if self.demo:
            self.demo.stop()
        self.loop.stop()
        self.server.should_exit = True
        self.server_thread.join(5)
        if self.prefect:
            self.prefect.stop()
        timekeeping.stop(self.house.store, self.house.time)
        self.house.close()

    @property
    def now(self) -> datetime:
        return local(self.house.time.now())
