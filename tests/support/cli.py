"""The command line within this process: `cli = Cli(site); cli("board", "--json").value`.

For what a second process would not show differently; tests of the process itself start one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from flows.cli import app
from support.sites import ENVIRON


@dataclass(frozen=True)
class Said:
    """What one command answered: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """Standard output as one JSON document. Raises ValueError when it is anything else."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Standard output as one JSON document per line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Cli:
    """`huiying` with this site, in this process."""

    def __init__(self, site: Path) -> None:
        self.site = site

    def __call__(self, *args: str, stdin: str | None = None) -> Said:
        # said anew each time: what a call sets for the log lasts longer than the call
        environ = {**ENVIRON, "HUIYING_SITE": str(self.site), "HUIYING_LOG": "text"}
        done = CliRunner().invoke(app, list(args), input=stdin, env=environ)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Said(done.exit_code, done.stdout, done.stderr)

    def json(self, *args: str, stdin: str | None = None) -> Any:
        """The answer of a command that must succeed."""
        said = self(*args, "--json", stdin=stdin)
        assert said.code == 0, f"{args}: {said.err}"
        return said.value
