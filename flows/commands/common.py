"""What every command shares: where the site is, how to print, how to fail in one line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import structlog
import typer

from connectors.console.desk import Refusal, Unavailable, Unknown
from connectors.ports import ConnectorError
from flows.processes import logs
from flows.timekeeping import WrongTime
from flows.wiring import House
from models.ledger.store import LedgerError
from playbooks.problem import Problems, did_you_mean

SiteOption = Annotated[
    Path | None,
    typer.Option("--site", envvar="HUIYING_SITE", help="站点目录；缺省取 $HUIYING_SITE，再取 ./site"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="以 JSON 输出到标准输出")]


def site_dir(site: Path | None) -> Path:
    return (site or Path("site")).resolve()


def say(text: str, level: str = "info") -> None:
    """To a person: standard error; a line like the others where a process stays and nobody sits there."""
    if logs.is_json():
        structlog.get_logger().log(logs.LEVELS[level], text)
    else:
        typer.echo(text, err=True)


def out(value: Any) -> None:
    """To a program: one JSON document on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def fail(text: str, code: int = 1) -> NoReturn:
    say(text, "error")
    raise typer.Exit(code)


@contextmanager
def house(site: Path | None) -> Iterator[House]:
    """The site's house; every expected failure becomes one clear line and exit 1."""
    with plainly(), House.open(site_dir(site)) as opened:
        yield opened


@contextmanager
def plainly() -> Iterator[None]:
    """Expected failures in words, without a traceback."""
    try:
        yield
    except Problems as problems:
        fail(str(problems))
    except (LedgerError, ConnectorError, Refusal, Unavailable, Unknown, WrongTime) as error:
        fail(str(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except OSError as error:
        why = error.strerror or str(error)
        fail(
            f"{error.filename} 读不了或写不了；核对路径和权限（{why}）"
            if error.filename
            else f"系统没有答应：{why}；核对磁盘、网络和权限，或运行 huiying doctor"
        )


def known_person(opened: House, by: str) -> None:
    """Ends the command unless `by` stands in the roster."""
    if by not in opened.names or by == "huiying":
        fail(f"值班表里没有 {by}{did_you_mean(by, list(opened.names))}；请写 roster.yaml 中的人员标识")


def quiet_logs(kind: str = "huiying") -> None:
    """Calm logs on standard error, for a person or as JSON lines; libraries speak only of trouble."""
    logs.configure(kind)
