"""What a process says on standard error: lines for a person at a terminal, JSON lines for everything else.

A JSON line has time, level, event, host, pid, version, what the process is, the duty, and the incident where
there is one. Of people's data nothing is said: every value is masked, texts and what a database or a parser
quotes of them are left out, a traceback names its places and no words of theirs. `$HUIYING_LOG` json | text decides.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import socket
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from functools import cache
from typing import Any, Final, TextIO, cast

import structlog

from flows import machine
from models.core.personal import mask_personal

HUSHED: Final = ("httpx", "httpx2", "kafka", "prefect", "uvicorn.access", "opentelemetry")
LEVELS: Final = {"info": logging.INFO, "error": logging.ERROR}
STAYS: Final = ("run", "worker", "console", "serve")
FIRST: Final = ("time", "level", "event", "duty", "incident_id")
PRINTERS: Final = ("ConsoleHandler", "StreamHandler")
TEXTS: Final = frozenset(
    {"title", "body", "text", "texts", "content", "raw", "author", "contacts", "payload", "params", "signal"}
)
"""Keys whose values are texts of the public: only their length is said."""
MOST: Final = 500
"""Characters of one value."""
DEEP: Final = 4
FRAMES: Final = 12
_QUOTED: Final = re.compile(r"'([^'\n]{16,})'|\"([^\"\n]{16,})\"")
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_OURS: Final = re.compile(
    r"(?:Ledger|Connector)Error\($|Un(?:available|fit|reachable|wanted)\($|Refus(?:ed|al)\($"
)
_PARAMETERS: Final = re.compile(r"\[parameters:.*|DETAIL:.*|CONTEXT:.*|input_value=.*", re.DOTALL)
"""Where SQLAlchemy, PostgreSQL and pydantic begin to quote what they were given."""

Event = MutableMapping[str, Any]
_words: dict[str, Any] = {"kind": "huiying", "json": False}


def configure(kind: str = "huiying", environ: Mapping[str, str] | None = None) -> None:
    """Logs of this process, ours and the libraries'; `kind`: one of `STAYS`, or a command."""
    _words.update(kind=kind, json=wants_json(kind, os.environ if environ is None else environ))
    handler = logging.StreamHandler(cast("TextIO", Screen()))
    handler.setFormatter(Foreign())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in HUSHED:
        logging.getLogger(name).setLevel(logging.ERROR)
    _adopt("prefect")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            placed,
            whereabouts,
            scrubbed,
            _renderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", Screen())),
    )


def _adopt(library: str) -> None:
    """A library that printed by itself says its words through ours; what else it does with them it goes on doing."""
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and name.split(".")[0] == library:
            for handler in [one for one in logger.handlers if type(one).__name__.endswith(PRINTERS)]:
                logger.removeHandler(handler)
            logger.propagate = True
            logger.setLevel(logger.level and max(logger.level, logging.WARNING))


def wants_json(kind: str, environ: Mapping[str, str]) -> bool:
    """As the environment says; else JSON from what stays, where nobody sits at a terminal."""
    said = environ.get("HUIYING_LOG", "")
    return said == "json" if said in ("json", "text") else kind in STAYS and not sys.stderr.isatty()


def is_json() -> bool:
    """Do words to a person stand among JSON lines here?"""
    return bool(_words["json"])


def on_duty(name: str) -> None:
    """From here on the lines of this thread or task name the duty."""
    structlog.contextvars.bind_contextvars(duty=name)


def whereabouts(_logger: Any, _method: str, event: Event) -> Event:
    """Who speaks, and when."""
    if not is_json():
        return structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)(None, "", event)
    event = structlog.processors.TimeStamper(fmt="iso", key="time")(None, "", event)
    first = {key: event.pop(key) for key in FIRST if key in event}
    about = {"process": _words["kind"], "host": _host(), "pid": os.getpid(), "version": machine.version()}
    return {**first, **about, **event}


@cache
def _host() -> str:
    return socket.gethostname()


def placed(_logger: Any, _method: str, event: Event) -> Event:
    """The incident's number under one name, and of an exception its places."""
    for key in ("incident", "clock"):
        if "incident_id" not in event and isinstance(event.get(key), str):
            event["incident_id"] = str(event[key]).split(":")[0]
    error = event.pop("exc_info", None)
    if error:
        event["trace"] = trace(error)
    return event


def trace(error: Any) -> list[str]:
    """Innermost last: "file:line function" of each frame, then the kind of error and its scrubbed words."""
    found = (
        error
        if isinstance(error, BaseException)
        else (error[1] if isinstance(error, tuple) else sys.exc_info()[1])
    )
    told: list[str] = []
    while found is not None and len(told) < 4 * FRAMES:
        frames = traceback.extract_tb(found.__traceback__)[-FRAMES:]
        said = f"{type(found).__name__}: {scrub(str(found))}"
        told = [*(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames), said, *told]
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    return told


def scrubbed(_logger: Any, _method: str, event: Event) -> Event:
    """Nothing of anybody's data goes on."""
    return {
        key: _length(value) if key in TEXTS else clean(value, most=_most(key)) for key, value in event.items()
    }


def _most(key: str) -> int:
    """A traceback is worth more room than a reason."""
    return 8 * MOST if key == "trace" else MOST


def clean(value: Any, depth: int = DEEP, most: int = MOST) -> Any:
    """The same value, every text in it scrubbed; what is too deep is named by its kind."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return scrub(value, most)
    if depth and isinstance(value, Mapping):
        return {scrub(str(k)): _length(v) if k in TEXTS else clean(v, depth - 1) for k, v in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [clean(one, depth - 1) for one in value]
    return scrub(str(value), most) if depth else f"<{type(value).__name__}>"


def scrub(text: str, most: int = MOST) -> str:
    """Masked; without what a database quotes, long quotations in Chinese, and what exceeds `most` characters."""
    text = _QUOTED.sub(_unquoted, _PARAMETERS.sub("…", text))
    masked = mask_personal(text)
    return masked if len(masked) <= most else masked[:most] + "…"


def _unquoted(found: re.Match[str]) -> str:
    """Our own exceptions bring our own words; what they quote in their turn is looked at too."""
    said = found[1] or found[2]
    if _OURS.search(found.string[max(0, found.start() - 24) : found.start()]):
        return found[0][0] + _QUOTED.sub(_unquoted, said) + found[0][-1]
    return f"〔{len(said)} 字〕" if _HAN.search(said) else found[0]


def _length(value: Any) -> str:
    return f"〔{len(value)} 字〕" if isinstance(value, str) else f"<{type(value).__name__}>"


def _renderer() -> Any:
    if is_json():
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)


class Foreign(logging.Formatter):
    """Lines of libraries (kafka, uvicorn, prefect …), scrubbed like ours."""

    def format(self, record: logging.LogRecord) -> str:
        event: Event = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[1]:
            event["exc_info"] = record.exc_info
        event = scrubbed(None, "", whereabouts(None, "", placed(None, "", event)))
        if is_json():
            return json.dumps(event, ensure_ascii=False)
        traced = "".join(f"\n  {line}" for line in event.get("trace", ()))
        return f"{record.levelname} {record.name}: {event['event']}{traced}"


class Screen:
    """Standard error as it is at each word. When it is gone nobody is left to tell, and the clocks
    must not stop for want of a listener."""

    def write(self, text: str) -> int:
        with contextlib.suppress(ValueError, OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(ValueError, OSError):
            sys.stderr.flush()
