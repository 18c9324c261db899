"""docs/接口.md: every curl of it works as printed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.office.desk import Desk
from flows.wiring import House
from support.console import served
from support.missing import missing
from support.sites import ENVIRON, write_site

HANDBOOK = Path(__file__).parents[2] / "docs" / "接口.md"
EXAMPLES = re.findall(r"```sh\n(.*?)```", HANDBOOK.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A served site with one incident: what the examples find in their environment."""
    if shutil.which("curl") is None:
        missing("no curl on PATH: apt-get install curl")
    directory = write_site(tmp_path_factory.mktemp("handbook") / "site", "http://127.0.0.1:9")
    with House.open(directory, ENVIRON) as house:
        incident = Desk(house).act("open", "", {"title": "望江路塌陷", "grade": "II"}, "chen")["id"]
        with served(Desk(house)) as address:
            yield {"HUIYING": address, "INCIDENT": incident, "PATH": "/usr/bin:/bin", "NO_PROXY": "*"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_of_the_handbook_works_as_printed(site: dict[str, str], example: str) -> None:
    done = subprocess.run(("sh", "-ec", example), env=site, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.startswith(("{", "[")), done.stdout[:200]


def test_the_handbook_shows_reading_and_doing() -> None:
    assert len(EXAMPLES) >= 8
