"""A mailbox's letters become tickets, each once, and are marked only when the database has them.

Against a stand-in of the protocol of our own (support.imap), and against Dovecot where it is installed.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from connectors.mailbox import _utf7, read_mail
from connectors.ports import Refused
from flows.collecting.filing import account_of, ingest_tickets
from flows.collecting.intake import Tally
from flows.wiring import House
from models.core.moment import CST
from models.ledger import deadletters, duties, signals
from support.imap import Imap
from support.sites import ENVIRON, write_site


@dataclass
class HandTime:
    """The site's time, moved by the test alone."""

    moment: datetime = datetime(2026, 11, 21, tzinfo=CST)
    speed: float = 1.0

    def now(self) -> datetime:
        return self.moment


SECRETS = {**ENVIRON, "BOX_PASSWORD": "pass word"}


def mail(subject: str, body: str, number: int = 1, **more: Any) -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["From"] = subject, more.get("sender", "王小明 <wang@example.org>")
    made["Date"] = more.get("date", "Sat, 21 Nov 2026 02:13:00 +0800")
    made["Message-ID"] = f"<{number}@example.org>"
    made.set_content(body, charset=more.get("charset", "utf-8"), cte=more.get("cte", "quoted-printable"))
    return made


def raw(made: EmailMessage) -> bytes:
    return made.as_bytes()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path / "site", "http://127.0.0.1:9")


def opened(site: Path, port: int, **more: Any) -> House:
    box = {
        "host": "127.0.0.1",
        "port": port,
        "tls": False,
        "user": "duty",
        "password": "${BOX_PASSWORD}",
        **more,
    }
    source = {"id": "box", "name": "领导信箱", "kind": "领导信箱", "mailbox": box, "every": "PT1M"}
    (site / "sources.yaml").write_text(
        json.dumps({"tickets": [source]}, ensure_ascii=False), encoding="utf-8"
    )
    house = House.open(site, SECRETS)
    house.time = HandTime()
    return house


def look(house: House) -> Tally:
    """One look, three hours later: even a box that failed is due again."""
    house.time.moment += timedelta(hours=3)  # type: ignore[attr-defined]
    tally = Tally()
    ingest_tickets(house, tally)
    return tally


def stored(house: House) -> list[Any]:
    with house.store.read() as conn:
        return list(signals.pending(conn, 100))


@pytest.fixture
def letters() -> list[bytes]:
    return [
        raw(mail("停水三天", "临江路停水三天了，请处理。", 1)),
        raw(mail("噪声扰民", "工地夜间施工。", 2, charset="gb18030", cte="base64")),
    ]


@pytest.fixture
def server(letters: list[bytes]) -> Iterator[Imap]:
    with Imap({"INBOX": letters, "Done": []}) as running:
        yield running


def test_letters_become_tickets_once_and_are_marked_as_seen(site: Path, server: Imap) -> None:
    with opened(site, server.port) as house:
        assert look(house).accepted == 2
        first, second = stored(house)
        assert (first.title, first.body, first.author) == ("停水三天", "临江路停水三天了，请处理。", "王小明")
        assert (second.body, second.medium, second.source_id) == ("工地夜间施工。", "leader_mailbox", "box")
        assert first.published_at.isoformat() == "2026-11-21T02:13:00+08:00"
        assert all(r"\Seen" in one.flags for one in server.folders["INBOX"])
        assert look(house).read == 0
        server.deliver("INBOX", raw(mail("又停水", "还是那条路", 3)))
        assert look(house).accepted == 1


@pytest.mark.parametrize("moves", [True, False])
def test_letters_are_moved_when_the_site_says_so(site: Path, letters: list[bytes], moves: bool) -> None:
    with (
        Imap({"INBOX": letters, "Done": []}, moves=moves) as server,
        opened(site, server.port, move_to="Done") as house,
    ):
        assert look(house).accepted == 2
        assert (server.folders["INBOX"], len(server.folders["Done"])) == ([], 2)


def test_a_new_numbering_reads_everything_again_and_stores_nothing_twice(site: Path, server: Imap) -> None:
    with opened(site, server.port) as house:
        look(house)
        server.uidvalidity = 8
        again = look(house)
        assert (again.read, again.accepted, again.duplicate) == (2, 0, 2)


def test_a_line_that_breaks_marks_nothing_and_loses_nothing(site: Path, server: Imap) -> None:
    with opened(site, server.port) as house:
        server.cut_after = 3
        broken = look(house)
        assert "断开" in broken.failed[0]
        assert not any(one.flags for one in server.folders["INBOX"])
        assert look(house).accepted + len(stored(house)) >= 2
        assert len(stored(house)) == 2


def test_a_wrong_password_is_named_and_never_shown(site: Path, letters: list[bytes]) -> None:
    with Imap({"INBOX": letters}, password="another") as server, opened(site, server.port) as house:
        said = look(house).failed[0]
        assert "不让登录" in said
        assert "pass word" not in said


def test_a_missing_folder_is_named_and_shown_since_when(site: Path, letters: list[bytes]) -> None:
    with Imap({"INBOX": letters}) as server, opened(site, server.port, folder="None") as house:
        assert "没有文件夹 None" in look(house).failed[0]
        with house.store.read() as conn:
            assert "没有文件夹" in duties.source_states(conn)["box"].error


def test_without_tls_only_an_allowed_host_gets_the_password(site: Path) -> None:
    with opened(site, 143, host="imap.example.org") as house, pytest.raises(Refused, match="明文"):
        account_of(house, house.site.sources.tickets[0])


def workbook() -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["工单编号", "标题", "诉求内容"])
    book.active.append([1, "停水", "三天了"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_the_tables_attached_to_a_letter_are_tickets_by_their_rows(site: Path) -> None:
    made = mail("今日工单", "见附件", 1)
    rows = "工单编号,标题,诉求内容\n2,停电,两天\n3,,\n".encode("gb18030")
    made.add_attachment(rows, maintype="text", subtype="csv", filename="今日工单.csv")
    made.add_attachment(workbook(), maintype="application", subtype="octet-stream", filename="表.xlsx")
    more = "工单编号\t标题\t诉求内容\n4\t停气\t一天\n".encode()
    made.add_attachment(more, maintype="text", subtype="tab-separated-values", filename="续.tsv")
    with Imap({"INBOX": [raw(made)]}) as server, opened(site, server.port) as house:
        tally = look(house)
        assert (tally.accepted, tally.rejected) == (3, 1)
        assert {row.title for row in stored(house)} == {"停电", "停水", "停气"}
        with house.store.read() as conn:
            (letter,) = deadletters.listed(conn)
        assert letter.place == "邮件1-今日工单.csv:3"


def test_what_is_attached_and_no_table_is_named_and_the_letter_is_kept(site: Path) -> None:
    made = mail("今日工单", "见附件", 1)
    made.add_attachment(b"\xd0\xcf", maintype="application", subtype="vnd.ms-excel", filename="工单.xls")
    made.add_attachment(b"PK", maintype="application", subtype="zip", filename="照片.zip")
    made.add_attachment(b"x", maintype="application", subtype="pkcs7-signature", filename="smime.p7s")
    with Imap({"INBOX": [raw(made)]}) as server, opened(site, server.port) as house:
        tally = look(house)
        assert (tally.accepted, tally.rejected) == (1, 1)
        assert [row.body for row in stored(house)] == ["见附件"]
        with house.store.read() as conn:
            (letter,) = deadletters.listed(conn)
        assert "附件 工单.xls、照片.zip 不是能读的表格，没有读" in letter.reason
        assert "smime" not in letter.reason
        assert look(house).read == 0


def test_a_photo_is_told_of_in_the_text_and_is_no_dead_letter(site: Path) -> None:
    made = mail("井盖缺失", "幸福路路口", 1)
    made.add_attachment(b"\xff\xd8\xff", maintype="image", subtype="jpeg", filename="现场.jpg")
    with Imap({"INBOX": [raw(made)]}) as server, opened(site, server.port) as house:
        tally = look(house)
        assert (tally.accepted, tally.rejected) == (1, 0)
        assert [row.body for row in stored(house)] == ["幸福路路口\n（另附 现场.jpg，在原邮件里）"]


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (
            b"Subject: \xcd\xa3\xcb\xae\xc8\xfd\xcc\xec\r\n\r\nx",
            {"subject": "停水三天"},
        ),  # raw GBK, no encoding
        (b"Subject: =?gb2312?B?zaPLrsj9zOw=?=\r\n\r\nx", {"subject": "停水三天"}),
        (
            b"Content-Type: text/html; charset=gb2312\r\n\r\n<p>\xcd\xa3\xcb\xae</p><script>x</script>",
            {"body": "停水"},
        ),
        (b"Subject: =?no-such?B?!!!?=\r\n\r\nbody", {"body": "body"}),
        (b"Content-Transfer-Encoding: base64\r\n\r\n!!!not base64", {}),
        (b"", {"subject": "", "body": ""}),
    ],
)
def test_old_and_broken_letters_are_read_as_far_as_they_go(data: bytes, wanted: dict[str, str]) -> None:
    found = read_mail({}, data)
    assert {name: found[name] for name in wanted} == wanted


def test_hostile_letters_are_bounded_and_named(site: Path) -> None:
    deep = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    nested = b"".join(
        b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1) for n in range(3_000)
    )
    many = deep + b"--b\r\n\r\nx\r\n" * 50_000
    future = raw(mail("日期写坏了", "正文在", 4)).replace(
        b"Sat, 21 Nov 2026 02:13:00 +0800", b"the day after"
    )
    broken = b"Content-Type: multipart/mixed; boundary=b0\r\nSubject: nested\r\n\r\n" + nested
    good = raw(mail("好的一封", "内容", 5))
    with Imap({"INBOX": [broken, many, future, good]}) as server, opened(site, server.port) as house:
        look(house)
        assert {"日期写坏了", "好的一封"} <= {row.title for row in stored(house)}
        with house.store.read() as conn:
            reasons = " ".join(row.reason for row in deadletters.listed(conn))
        assert "超过 100 个部件" in reasons
        assert all(r"\Seen" in one.flags for one in server.folders["INBOX"])


def test_a_letter_too_large_is_not_fetched(site: Path) -> None:
    with (
        Imap({"INBOX": [b"Subject: big\r\n\r\n" + b"x" * (26 * 2**20)]}) as server,
        opened(site, server.port) as house,
    ):
        assert look(house).rejected == 1
        assert not any("BODY" in said for said in server.said)


def test_a_folders_name_is_written_as_imap_wants_it() -> None:
    assert _utf7("已处理 & 完") == "&XfJZBHQG- &- &W4w-"
