"""From one release to the next with nobody stopping: the program of before works on the schema of now.

The program of before is taken from this repository's own history: the last commit without the newest migration.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from flows.audit import verify_chain
from flows.office.desk import Desk
from flows.wiring import House
from models.core.moment import CST, iso
from models.ledger.store import Store
from support.missing import missing
from support.processes import Process
from support.receiver import Receiver
from support.sites import ENVIRON, write_site
from support.waiting import LONG_S, until

ROOT = Path(__file__).parents[2]
VERSIONS = ROOT / "models" / "migrations" / "versions"
PARTS = ("models", "connectors", "playbooks", "flows")
DUTIES = ("respond", "deliver", "ingest", "triage")
WHERE = "import flows.cli, sys; sys.stderr.write(flows.cli.__file__ + '\\n'); flows.cli.main()"


def _git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The four packages as they were before the newest migration."""
    newest = max(VERSIONS.glob("[0-9]*.py")).relative_to(ROOT)
    folder = tmp_path_factory.mktemp("before")
    try:
        added = _git("log", "--diff-filter=A", "--format=%H", "--", str(newest)).decode().split()
        tree = _git("archive", f"{added[-1]}^" if added else "HEAD", *PARTS)
    except OSError as error:
        missing(f"git does not start: {error}; mend it with: sudo apt-get install git")
    except subprocess.CalledProcessError as error:  # a shallow clone, or no clone at all, is nobody's fault
        pytest.skip(f"the history that holds the release of before is not here: {error}")
    subprocess.run(["tar", "-x", "-C", str(folder)], input=tree, check=True)
    assert not (folder / newest).exists()
    return folder


class Former(Process):
    """`huiying worker` of the program of before."""

    def __init__(self, program: Path, site: Path) -> None:
        line = [sys.executable, "-P", "-c", WHERE, "worker", *DUTIES, "--site", str(site)]
        super().__init__(line, site / "former.log", PYTHONPATH=str(program))


def _opened(house: House, title: str) -> str:
    began = iso(datetime.now(CST) - timedelta(minutes=160))
    said = {"title": title, "grade": "II", "occurred_at": began, "reason": "来电"}
    return str(Desk(house).act("open", "", said, "chen")["id"])


def _told_of(receiver: Receiver, incident: str) -> bool:
    return any(request.json().get("incident", {}).get("id") == incident for request in receiver.requests)


def _ticket(site: Path, number: int, title: str) -> None:
    rows = (
        f"工单编号,受理时间,标题,内容\n{number},2026-11-22 02:13,{title},南浦区多个小区{title}，居民反映。\n"
    )
    part = site / "tickets" / f".{number}.part"
    part.write_text(rows, encoding="utf-8")
    part.rename(site / "tickets" / f"{number}.csv")


def _signals(house: House) -> set[str]:
    return {str(signal["title"]) for signal in Desk(house).board()["signals"]["last"]}


def _stored(url: str) -> int:
    """How many signals there are, by a door that brings no schema up."""
    with closing(Store(url)) as store, store.read() as conn:
        return int(conn.execute(text("SELECT count(*) FROM signal")).scalar_one())


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def test_a_worker_of_before_goes_on_while_the_schema_is_brought_up_and_the_new_one_takes_over(
    before: Path, database_url: str, receiver: Receiver, tmp_path: Path
) -> None:
    site = write_site(tmp_path / "site", receiver.url, database=database_url, tickets="tickets")
    with Former(before, site) as former:
        _ticket(site, 1, "自来水发臭")
        until(lambda: "运行中" in former.words(), former.words, alive=lambda: former.alive, patience_s=LONG_S)
        assert str(before) in former.words(20_000), "it is the program of before that runs"
        until(lambda: _stored(database_url) == 1, former.words, alive=lambda: former.alive, patience_s=LONG_S)
        with House.open(site, ENVIRON) as house:  # the new program begins: it brings the schema up
            assert "自来水发臭" in _signals(house)
            _ticket(site, 2, "路灯全部不亮")
            until(
                lambda: "路灯全部不亮" in _signals(house),
                former.words,
                alive=lambda: former.alive,
                patience_s=LONG_S,
            )
            incident = _opened(house, "化工园区火灾")
            until(
                lambda: _told_of(receiver, incident),
                former.words,
                alive=lambda: former.alive,
                patience_s=LONG_S,
            )
            former.stop()
            assert verify_chain(house)["ok"]
            line = [sys.executable, "-m", "flows.cli", "worker", *DUTIES, "--site", str(site)]
            newer = Process(line, site / "newer.log")
            newer.start()
            try:
                second = _opened(house, "学校食堂食物中毒")
                until(
                    lambda: _told_of(receiver, second),
                    newer.words,
                    alive=lambda: newer.alive,
                    patience_s=LONG_S,
                )
            finally:
                newer.stop()
            proven = verify_chain(house)
            assert proven["ok"], proven["findings"]


def test_a_program_that_starts_on_a_newer_schema_than_it_knows_leaves_it_as_it_is(
    database_url: str, tmp_path: Path
) -> None:
    """During an upgrade an older process may start again."""
    with closing(Store(database_url)) as store:
        store.migrate()
        with store.write() as conn:
            conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", database=database_url)
    with House.open(site, ENVIRON) as house:
        _opened(house, "化工园区火灾")
        with house.store.read() as conn:
            assert conn.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
