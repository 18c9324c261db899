"""What is old enough leaves the database for files that are read for ever, and nothing else leaves it."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import select, text

from connectors.console.desk import Unknown
from connectors.ports import Refused
from flows.audit import verify_chain
from flows.commands.tables import whole_incident_lines
from flows.keeping import archives
from flows.office.desk import Desk
from flows.wiring import House
from models.core.moment import CST, iso
from models.core.months import Month
from models.core.signals import Batch, RawSignal
from models.core.text import fingerprint
from models.core.vocabulary import Medium
from models.ledger import archived, journal, partitions, retiring, sealed, signals
from models.ledger.entry import Entry
from models.ledger.retiring import Filed
from models.ledger.store import LedgerError
from support.cli import Cli
from support.explained import listened
from support.river_site import HandTime
from support.sites import ENVIRON, write_site

MAY = datetime(2024, 5, 10, 9, 0, tzinfo=CST)
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=CST)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    yield from opened(database_url, tmp_path, journal_days=400)


def opened(url: str, folder: Path, **retention: Any) -> Iterator[House]:
    said = {"signals_days": 365, "folder": "archive", **retention}
    site = write_site(folder / "site", "http://127.0.0.1:9", database=url, site={"retention": said})
    with House.open(site, ENVIRON) as made:
        made.time = HandTime(MAY)
        yield made


def come(house: House, *numbers: int, incident: str | None = None, judged: bool = True) -> list[int]:
    """Signals come in now, are judged and belong to an incident or to none; their ids."""
    now = house.time.now()
    posts = [
        RawSignal("s", str(n), Medium.HOTLINE, f"停水 {n}", "电话 13812345678", metrics={}) for n in numbers
    ]
    with house.store.write() as conn:
        signals.collect(conn, now, Batch(tuple(posts)), "s", fingerprint)
        sealed.keep(conn, now, [(post.uid, "k1", b"original") for post in posts])
        rows = [row for row in signals.pending(conn, 99) if row.title in {post.title for post in posts}]
        if judged:
            made = [judgement(row.id, now, incident) for row in rows]
            journal.append(conn, now, [Entry("signals_judged", {"insert": {"judgement": made}}, "huiying")])
            signals.mark_triaged(conn, rows, now)
    return [row.id for row in rows]


def judgement(number: int, at: datetime, incident: str | None) -> dict[str, Any]:
    return {
        "signal_id": number, "at": iso(at), "sentiment": "negative", "sentiment_score": 0.1, "topic": "safety",
        "topic_margin": 0.5, "rumour": 0.0, "concern": 0.9, "flagged": False, "grade": "IV", "facts": {},
        "grade_parts": [], "reasons": [], "versions": {}, "cluster": f"c{number}", "incident_id": incident,
    }  # fmt: skip


def open_(house: House, title: str) -> str:
    said = {"title": title, "grade": "IV", "occurred_at": iso(house.time.now()), "reason": "来电"}
    return str(Desk(house).act("open", "", said, "chen")["id"])


def close(house: House, incident: str) -> None:
    now = house.time.now()
    change = {"incident": [{"id": incident, "closed_at": iso(now), "stage": "closed"}]}
    with house.store.write() as conn:
        journal.append(conn, now, [Entry("incident_closed", {"update": change}, "li", "处置完毕", incident)])


def a_year_later(house: House) -> list[int]:
    """Something new has come in; its id."""
    assert isinstance(house.time, HandTime)
    house.time.moment = NOW
    return come(house, 999)


def stored(house: House) -> set[int]:
    with house.store.read() as conn:
        return set(conn.execute(select(signals.SIGNAL.c.id)).scalars())


def whole(house: House) -> None:
    assert verify_chain(house)["findings"] == []


def files(house: House) -> list[str]:
    return sorted(path.name for path in house.archive.iterdir())


def test_a_month_that_is_old_enough_lies_in_a_file_and_what_is_needed_stays(house: House) -> None:
    alive, over = open_(house, "化工园区火灾"), open_(house, "小区停水")
    loose, needed = come(house, 1, 2), come(house, 3, incident=alive)
    done, unread = come(house, 4, incident=over), come(house, 5, judged=False)
    close(house, over)
    fresh = a_year_later(house)
    assert "归档 signal-2024-05.jsonl.gz（3 行）" in archives.keep(house)
    assert stored(house) == {*needed, *unread, *fresh}
    assert files(house) == ["signal-2024-05.jsonl.gz", "signal-2024-05.jsonl.gz.manifest.json"]
    whole(house)
    shown = Desk(house).incident(over)
    assert shown is not None
    assert shown["archived"] == {"signals": 1, "files": "signal-2024-05.jsonl.gz", "journal": ""}
    assert any("1 条线索已归档：signal-2024-05.jsonl.gz" in line for line in whole_incident_lines(shown))
    with pytest.raises(Unknown, match=r"已归档：signal-2024-05\.jsonl\.gz"):
        Desk(house).about.signal(over, done[0])
    held = list(archives.read(house, "signal-2024-05.jsonl.gz"))
    assert [line["id"] for line in held] == [*loose, *done]
    assert [line["id"] for line in archives.read(house, "signal-2024-05.jsonl.gz", over)] == done
    with house.store.read() as conn:
        assert set(sealed.boxes(conn, [line["uid"] for line in held])) == set()
        left = set(conn.execute(select(retiring.JUDGEMENT.c.signal_id)).scalars())
        assert left == {*needed, *done, *fresh}
    assert "归档" not in archives.keep(house)


def test_an_old_post_that_is_read_again_after_its_text_has_left_is_no_new_one(house: House) -> None:
    come(house, 1, 2)
    a_year_later(house)
    archives.keep(house)
    again = Batch(tuple(RawSignal("s", str(n), Medium.HOTLINE, "改过的标题", "") for n in (1, 2, 3)))
    with house.store.write() as conn:
        assert signals.collect(conn, NOW, again, "s", fingerprint)["accepted"] == 1
    whole(house)


def test_the_journal_leaves_from_its_beginning_and_is_read_whole(house: House) -> None:
    over = open_(house, "小区停水")
    come(house, 1, incident=over)
    close(house, over)
    with house.store.read() as conn:
        before = list(journal.entries(conn))
    a_year_later(house)
    come(house, 2)
    said = [filed.file for filed in archives.retire(house)]
    assert said == ["signal-2024-05.jsonl.gz", "journal-2024-05.jsonl.gz"]
    with house.store.read() as conn:
        kept = conn.execute(select(journal.JOURNAL.c.seq)).scalars().all()
        after = list(journal.entries(conn))
        assert min(kept) == len(before) + 1
        assert after[: len(before)] == before
        assert [row["seq"] for row in journal.entries(conn, after=2, kind="incident_opened")] == []
        assert journal.began(conn) == MAY
    whole(house)
    manifest = json.loads(
        (house.archive / "journal-2024-05.jsonl.gz.manifest.json").read_text(encoding="utf-8")
    )
    assert (manifest["prev"], manifest["head"]) == (journal.GENESIS, before[-1]["hash"])
    assert (house.archive / manifest["file"]).stat().st_mode & 0o077 == 0, "others read no archive"


def test_the_journal_of_an_open_incident_stays_and_so_does_all_that_follows(house: House) -> None:
    open_(house, "化工园区火灾")
    assert isinstance(house.time, HandTime)
    house.time.moment = MAY + timedelta(days=40)
    come(house, 1)
    a_year_later(house)
    assert [filed.file for filed in archives.retire(house)] == ["signal-2024-06.jsonl.gz"]
    whole(house)


@pytest.mark.parametrize("kind", ["signal", "journal"])
@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_file_that_is_gone_or_changed_is_told_once_and_clearly(
    house: House, kind: str, damage: str
) -> None:
    come(house, *range(1, 30))
    a_year_later(house)
    come(house, 40)
    list(archives.retire(house))
    path = house.archive / f"{kind}-2024-05.jsonl.gz"
    whole_bytes = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(
            gzip.compress(gzip.decompress(whole_bytes).replace("停水 7".encode(), "停电 7".encode()))
        )
    found = verify_chain(house)
    assert not found["ok"]
    assert found["checks"]["archives"] == 1
    assert "从备份找回" in found["findings"][0]
    assert path.name in found["findings"][0]
    assert len(found["findings"]) <= 4, found["findings"]
    with pytest.raises(LedgerError, match="从备份找回"):
        list(archives.read(house, path.name))
    path.write_bytes(whole_bytes)
    whole(house)


def test_a_row_that_was_changed_in_the_table_is_not_filed_as_if_it_were_true(house: House) -> None:
    come(house, 1)
    a_year_later(house)
    with house.store.write() as conn:
        conn.execute(text("UPDATE signal SET body = '改过' WHERE title = '停水 1'"))
    with pytest.raises(Refused, match="什么也没有移出"):
        archives.keep(house)
    assert len(stored(house)) == 2
    assert files(house) == []


def entered(house: House, *, forgotten: bool) -> Filed:
    """A month of signals is in its file and in the journal; its rows are still in the table."""
    with house.store.read() as conn:
        due = retiring.due(conn, archived.SIGNALS, NOW, NOW)
    assert due is not None
    house.archive.mkdir()
    filed = archives._write(house, due, house.archive)
    with house.store.write() as conn:
        retiring.enter(conn, NOW, due, filed, forgotten, by="huiying", reason="保存期限已满")
    return filed


def test_what_was_broken_off_between_the_journal_and_the_rows_is_gone_on_with(house: House) -> None:
    come(house, 1, 2, 3)
    fresh = a_year_later(house)
    filed = entered(house, forgotten=False)
    whole(house)
    late = list(islice(archived.lines(house.archive / filed.file), 1))
    with house.store.write() as conn:
        retiring.let_go(conn, archived.SIGNALS, late, NOW)
    whole(house)
    assert "signal-2024" not in archives.keep(house), "it lies in its file already"
    assert stored(house) == set(fresh)
    whole(house)


@pytest.mark.parametrize("broken_off", ["rows are out", "rows leave", "a person forgets"])
def test_what_is_deleted_for_good_is_off_the_disk_after_a_crash_too(house: House, broken_off: str) -> None:
    come(house, 1, 2, 3)
    fresh = a_year_later(house)
    filed = entered(house, forgotten=broken_off != "a person forgets")
    if broken_off != "rows leave":
        with house.store.write() as conn:
            retiring.let_go(conn, archived.SIGNALS, list(archived.lines(house.archive / filed.file)), NOW)
            retiring.left(conn, filed.file)
    if broken_off == "a person forgets":
        with house.store.write() as conn:
            retiring.forget(conn, NOW, filed.file, "li", "当事人依法要求删除")
    assert len(files(house)) == 2
    archives.keep(house)
    assert [name for name in files(house) if name.startswith("signal")] == []
    assert stored(house) == set(fresh)
    whole(house)


def test_what_was_half_written_when_a_process_fell_is_off_the_disk_and_what_is_being_written_stays(
    house: House,
) -> None:
    for name in (".writing-fell", ".writing-lives"):
        (house.archive / name).mkdir(parents=True)
        (house.archive / name / "signal-2024-05.jsonl.gz").write_bytes(b"half")
    with archives._held(house.archive / ".writing-lives"):
        archives.keep(house)
        assert files(house) == [".writing-lives"]
    archives.keep(house)
    assert files(house) == []


def test_a_file_that_may_not_be_kept_is_not_deleted_before_the_rows_that_it_names_are_out(
    house: House,
) -> None:
    come(house, 1)
    a_year_later(house)
    filed = entered(house, forgotten=True)
    archives._delete_forgotten(house)
    assert filed.file in files(house), "its rows are still to go out by it"


def test_a_file_whose_rows_are_leaving_is_left_by_its_own_name_and_nothing_is_entered_beside_it(
    house: House,
) -> None:
    come(house, 1)
    assert isinstance(house.time, HandTime)
    house.time.moment = MAY + timedelta(days=40)
    come(house, 2)
    a_year_later(house)
    filed = entered(house, forgotten=False)
    with house.store.write() as conn:
        retiring.left(conn, "signal-1999-01.jsonl.gz")
        assert (retiring.leaving(conn) or {})["file"] == filed.file
        other = retiring.Due(archived.SIGNALS, Month(2024, 6))
    beside = house.archive / "beside"
    beside.mkdir()
    assert not archives._enter(house, other, archives._write(house, other, beside), beside, "huiying", "")
    assert next(archives.retire(house)).file == "signal-2024-06.jsonl.gz"
    with house.store.read() as conn:
        assert retiring.leaving(conn) is None


class Counting(type(Path())):  # type: ignore[misc]  # the class of paths is known when it runs
    """A folder whose files are counted as they are opened."""

    opened: ClassVar[list[str]] = []

    def open(self, *args: Any, **more: Any) -> Any:
        self.opened.append(self.name)
        return super().open(*args, **more)


def test_the_proof_takes_the_hash_of_each_file_once(house: House) -> None:
    come(house, *range(1, 30))
    a_year_later(house)
    come(house, 40)
    said = [filed.file for filed in archives.retire(house)]
    house.store.archive = Counting(house.archive)
    Counting.opened.clear()
    with house.store.write() as conn:
        conn.execute(text("DELETE FROM signal WHERE title = '停水 40'"))
    assert verify_chain(house)["checks"] == {
        "archives": 0, "journal": 0, "signals": 1, "tables": 0, "laws": 0,
    }  # fmt: skip
    assert sorted(Counting.opened) == sorted(said)


def test_a_file_is_read_back_in_one_reading(tmp_path: Path) -> None:
    """From a pipe, which can be read but once."""
    row = {"id": 1, "uid": "u", "digest": "not its own", **dict.fromkeys(archived._MOMENTS["signal"])}
    row |= dict.fromkeys(set(signals.CONTENT) - {"uid"})
    archives._pack(tmp_path / "a", [row])
    out, into = os.pipe()
    os.write(into, (tmp_path / "a").read_bytes())
    os.close(into)
    with pytest.raises(Refused, match="第 1 行与它的哈希不符"):
        archives._read_back(Path(f"/dev/fd/{out}"), "signal")
    os.close(out)


def test_a_month_that_has_changed_since_it_was_written_is_not_entered(house: House) -> None:
    come(house, 1)
    a_year_later(house)
    with house.store.read() as conn:
        due = retiring.due(conn, archived.SIGNALS, NOW, NOW)
    assert due is not None
    house.archive.mkdir()
    filed = archives._write(house, due, house.archive)
    assert isinstance(house.time, HandTime)
    house.time.moment = MAY
    come(house, 2, 3)
    house.time.moment = NOW
    assert not archives._enter(house, due, filed, house.archive, "huiying", "保存期限已满")
    assert len(stored(house)) == 4


def test_the_newest_signal_stays_however_old_so_that_no_number_is_given_twice(house: House) -> None:
    come(house, 1)
    last = come(house, 2)
    assert isinstance(house.time, HandTime)
    house.time.moment = NOW
    archives.keep(house)
    assert stored(house) == set(last)
    assert come(house, 3) > last


def test_the_bytes_of_a_file_depend_on_its_rows_alone(tmp_path: Path) -> None:
    rows = [{"seq": n, "reason": "核对"} for n in range(300)]
    archives._pack(tmp_path / "a", iter(rows))
    archives._pack(tmp_path / "b", iter(rows))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_texts_that_may_not_be_kept_are_deleted_for_good_and_the_proof_still_holds(
    database_url: str, tmp_path: Path
) -> None:
    for house in opened(database_url, tmp_path, archive=False):
        come(house, 1, 2)
        a_year_later(house)
        archives.keep(house)
        assert files(house) == []
        whole(house)
        with house.store.write() as conn:
            conn.execute(text("DELETE FROM signal"))
        assert verify_chain(house)["checks"]["signals"] == 1, "only what was deleted by rule is excused"


def test_a_file_is_deleted_for_good_by_a_person_with_a_reason(house: House) -> None:
    come(house, 1)
    a_year_later(house)
    list(archives.retire(house))
    archives.forget(house, "signal-2024-05.jsonl.gz", "li", "当事人依法要求删除")
    assert files(house) == ["journal-2024-05.jsonl.gz", "journal-2024-05.jsonl.gz.manifest.json"]
    whole(house)
    with pytest.raises(Refused, match="日志不删除"):
        archives.forget(house, "journal-2024-05.jsonl.gz", "li", "误")
    with pytest.raises(LedgerError, match="按期删除"):
        list(archives.read(house, "signal-2024-05.jsonl.gz"))


def test_the_commands_list_read_and_mask(tmp_path: Path) -> None:
    for house in opened(f"sqlite:///{tmp_path / 'h.sqlite'}", tmp_path):
        come(house, 1)
        a_year_later(house)
    cli = Cli(tmp_path / "site")
    ran = cli("archive", "run", "--json")
    assert ran.code == 0, ran.err
    (filed,) = ran.value["files"]
    path = Path(ran.value["folder"]) / filed["file"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == filed["sha256"]
    (one,) = cli("archive", "list", "--json").value["files"]
    assert (one["rows"], one["wrong"], one["kind_zh"]) == (1, None, "原始信息")
    read = cli("archive", "read", filed["file"])
    assert "停水 1" in read.out
    assert "13812345678" not in read.out
    assert cli("archive", "read", "signal-1999-01.jsonl.gz").code == 1
    assert "不需要分区" in cli("partition").err


@pytest.mark.parametrize("whole_", [True, False], ids=["with its files", "without"])
def test_a_backup_says_which_files_it_needs_and_may_hold_them(tmp_path: Path, whole_: bool) -> None:
    for house in opened(f"sqlite:///{tmp_path / 'h.sqlite'}", tmp_path, journal_days=400):
        come(house, 1)
        a_year_later(house)
        come(house, 2)
        list(archives.retire(house))
    made = Cli(tmp_path / "site")(
        "backup", "-o", str(tmp_path / "one.tar"), *(["--archives"] if whole_ else [])
    )
    assert made.code == 0, made.err
    assert ("另有归档文件 2 个" in made.err) is not whole_
    write_site(tmp_path / "new", "http://127.0.0.1:9", site={"retention": {"folder": "archive"}})
    back = Cli(tmp_path / "new")("restore", str(tmp_path / "one.tar"), "--json")
    assert [one["file"] for one in back.value["manifest"]["archives"]] == [
        "signal-2024-05.jsonl.gz",
        "journal-2024-05.jsonl.gz",
    ]
    assert (back.code, back.value["verify"]["ok"]) == ((0, True) if whole_ else (1, False)), back.out
    if not whole_:
        for path in (tmp_path / "site" / "archive").iterdir():
            (tmp_path / "new" / "archive").mkdir(exist_ok=True)
            (tmp_path / "new" / "archive" / path.name).write_bytes(path.read_bytes())
        assert Cli(tmp_path / "new")("verify").code == 0


def test_a_month_of_its_own_goes_as_a_whole_and_leaves_what_is_needed_in_a_small_one(
    postgres_server: Any, tmp_path: Path
) -> None:
    for house in opened(postgres_server.database(), tmp_path):
        needed = come(house, 1, incident=open_(house, "化工园区火灾"))
        come(house, *range(2, 9))
        archives.keep(house)
        with house.store.read() as conn:
            part = text("SELECT 'signal_2024_05'::regclass::oid::bigint")
            before = conn.execute(part).scalar_one()
            assert partitions.strays(conn) == {}
        fresh = a_year_later(house)
        archives.keep(house)
        with house.store.read() as conn:
            assert conn.execute(part).scalar_one() != before
        assert stored(house) == {*needed, *fresh}
        whole(house)


def test_of_a_month_of_the_journal_that_left_as_a_whole_no_row_is_looked_for(
    postgres_server: Any, tmp_path: Path
) -> None:
    for house in opened(postgres_server.database(), tmp_path, journal_days=400):
        come(house, *range(1, 9))
        archives.keep(house)
        a_year_later(house)
        come(house, 1000)
        with listened(house.store) as said:
            found = [filed.file for filed in archives.retire(house)]
        assert found == ["signal-2024-05.jsonl.gz", "journal-2024-05.jsonl.gz"]
        assert not [one.sql for one in said if one.sql.startswith("DELETE FROM journal")]
        with house.store.read() as conn:
            assert retiring.leaving(conn) is None
        whole(house)
