"""Filing: tickets from folders, files, mailboxes and pushes become signals, each exactly once.

Read (the connectors) → decide (new? whole? which columns?) → append. A file or a mail that fails is named and
stops no other; what has been read is noted by size, time and content, so that a renamed copy is not read twice.
"""

from __future__ import annotations

import atexit
import base64
import hashlib
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import structlog

from connectors import inbound, mailbox, tickets
from connectors.addresses import canonical_host
from connectors.console.desk import Unavailable, Unknown, Unsigned
from connectors.isolation import Cut, Pool
from connectors.mapping import Mapping_, accept
from connectors.ports import ConnectorError, Refused, Unreachable
from connectors.tables import ENDINGS
from flows.collecting.intake import Tally, due_sources, good_row, note_failure, store, store_each
from flows.timekeeping import machine_now, world
from flows.wiring import House
from models.core.personal import mask_personal
from models.core.signals import Batch, RawSignal, Rejected
from models.ledger import duties
from models.ledger.store import LedgerError, Row
from playbooks.mapping_paper import mapping_path, mapping_text, read_mapping
from playbooks.problem import Problems

log = structlog.get_logger()

UNDER_WAY = (".part", ".tmp", ".temp", ".filepart", ".crdownload", ".download", ".partial")
"""What programs call a file that they are still bringing."""
SETTLED_S = 10.0
"""A file that does not end as a whole one does is left alone until nobody has written to it for so long."""
REMEMBERED = 5_000
MAIL_S = 30.0
MAILS_A_LOOK = 500

State = dict[str, Any]


def ingest_tickets(house: House, tally: Tally) -> None:
    """One look at every ticket source that is due; one that fails is named and stops no other."""
    for source, row in due_sources(house, house.site.sources.tickets):
        try:
            state, trouble = _look(house, source, dict(row.state) if row else {}, tally)
            _note(house, source, row, state, trouble)
        except (ConnectorError, OSError, LedgerError, ValueError) as error:
            tally.failed.append(f"{source.name}: {error}")
            note_failure(house, source, row, "tickets", _in_our_words(error))
            continue
        tally.failed.extend(f"{source.name}: {one}" for one in trouble)


def _in_our_words(error: Exception) -> ConnectorError:
    match error:
        case ConnectorError():
            return error
        case OSError():
            return Unreachable(str(error))
        case _:
            return Refused(f"读到的内容存不进数据库（{error}）；请核对数据库和日志，稍后自动再读")


def _look(house: House, source: Any, state: State, tally: Tally) -> tuple[State, list[str]]:
    """The source's new state, and what of it could not be read this time."""
    if source.webhook is not None:
        secret_of(house, source.webhook.secret)  # the door is open when its key is there
        return state, []
    if source.mailbox is not None:
        return read_mailbox(house, source, state, tally), []
    return read_files(house, source, state, tally)


def _note(house: House, source: Any, row: Row[Any] | None, state: State, trouble: list[str]) -> None:
    now = house.time.now()
    made = good_row(source, "tickets", source.place, now, state)
    if source.webhook is not None and "every" in source.model_fields_set and row is not None:
        made |= {"last_good_at": row.last_good_at}  # its own rhythm is what others push
    if trouble:
        since = (row.failing_since if row else None) or now
        last = row.last_good_at if row else None
        made |= {
            "error": "；".join(trouble[:3]),
            "failing_since": since,
            "errors": len(trouble),
            "last_good_at": last,
        }
    with house.store.write() as conn:
        duties.put_source(conn, made)


def secret_of(house: House, reference: str) -> str:
    """A secret's value. Raises Refused that names the reference and never the value."""
    try:
        return house.site.secrets(reference)
    except (LookupError, OSError, ValueError) as error:
        raise Refused(f"密钥取不到: {error}") from None


# ── columns ───────────────────────────────────────────────────────────────────────────────────


def saved_mapping(house: House, source_id: str) -> Mapping_ | None:
    """The mapping that people keep for this source. Raises Refused when the file is wrong."""
    path = mapping_path(house.site.directory, source_id)
    if not re.fullmatch(r"[\w.-]{1,100}", source_id) or not path.is_file():
        return None
    try:
        found = read_mapping(path)
    except Problems as problems:
        raise Refused(str(problems)) from None
    columns = {str(name): column for name, column in found.columns.items()}
    ignored = tuple(one for one in found.headers if one not in columns.values())
    return Mapping_(columns, ignored, tuple(found.headers))


def save_mapping(house: House, source_id: str, mapping: Mapping_) -> Path | None:
    """Keep a guessed mapping for people to see and correct; never over one that is there. None = not kept."""
    if not re.fullmatch(r"[\w.-]{1,100}", source_id):
        return None
    path = mapping_path(house.site.directory, source_id)
    headers = dict.fromkeys((*mapping.columns.values(), *mapping.ignored))
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(mapping_text(source_id, mapping.columns, [one for one in headers if one.strip()]))
    except FileExistsError:
        return None
    except OSError as error:  # a site that only administrators may write: the guess is made anew each time
        log.warning("the mapping could not be saved", path=str(path), reason=str(error))
        return None
    return path


class Columns:
    """The mapping of one source while its files are read: the saved one, else the first guess, saved."""

    def __init__(self, house: House, source_id: str, *, keep: bool = True) -> None:
        self.mapping = saved_mapping(house, source_id)
        self.used: Mapping_ | None = None
        self.saved_to: Path | None = None
        self.notes: list[str] = []
        self._house, self._source_id, self._keep = house, source_id, keep and self.mapping is None

    def heard(self, used: Mapping_, change: str) -> None:
        """What a table's reader tells: the mapping in use, and how the header differs from it."""
        self.used = used
        if change:
            self.notes.append(
                f"表头与保存的列对应有出入（{change}），仍按保存的读；请核对 mappings/{self._source_id}.yaml"
            )
        if self._keep:
            self._keep = False
            self.mapping, self.saved_to = used, save_mapping(self._house, self._source_id, used)


# ── folders and files ─────────────────────────────────────────────────────────────────────────


def read_files(house: House, source: Any, state: State, tally: Tally) -> tuple[State, list[str]]:
    """Read what is new; a file that cannot be opened is tried again, one that cannot be understood is a dead letter."""
    seen: dict[str, str] = dict(state.get("files", {}))
    read: dict[str, str] = dict(state.get("read", {}))
    trouble: list[str] = []
    present = ticket_paths(house.site.directory, source)
    for path in present:
        try:
            _take_file(house, source, path, seen, read, tally, trouble)
        except OSError as error:
            trouble.append(f"{path.name} 读不了（{error.strerror or error}）；请核对文件和权限")
    names = {path.name for path in present}
    kept = dict(list(read.items())[-REMEMBERED:])
    return {**state, "files": {n: s for n, s in seen.items() if n in names}, "read": kept}, trouble


def _take_file(
    house: House,
    source: Any,
    path: Path,
    seen: dict[str, str],
    read: dict[str, str],
    tally: Tally,
    trouble: list[str],
) -> None:
    about = path.stat()
    stamp = f"{about.st_size}:{about.st_mtime_ns}"
    young = machine_now().timestamp() - about.st_mtime < SETTLED_S
    if seen.get(path.name) == stamp or (young and not is_whole(path)):
        return
    if not is_table(path, source):
        tally.add(store(house, Batch((), (_other(path, about.st_size, stamp),)), source.id))
    elif (digest := _digest(path)) not in read:
        tally.add(_rows_of(house, source, path, trouble))
        read[digest] = path.name
    seen[path.name] = stamp


def is_table(path: Path, source: Any) -> bool:
    """Is it read by its ending? The one file that a source names is, whatever it is called."""
    return bool(source.file) or path.name.lower().endswith(ENDINGS)


def _other(path: Path, size: int, stamp: str) -> Rejected:
    """A file that nobody reads, named; another one of that name is another letter."""
    return Rejected(path.name, tickets.unread(path.name), f"{path.name}：{size:,} 字节，没有读（{stamp}）")


def _rows_of(house: House, source: Any, path: Path, trouble: list[str]) -> dict[str, int]:
    counts = Tally()
    try:
        columns = Columns(house, source.id)
        for batch in tickets.read_batches(
            path, source_id=source.id, medium=source.door, mapping=columns.mapping, told=columns.heard
        ):
            counts.add(store_each(house, batch, source.id))
        trouble.extend(f"{path.name}: {note}" for note in columns.notes)
    except Refused as refused:
        whole = Rejected(path.name, str(refused), "")
        counts.add(store(house, Batch((), (whole,)), source.id))
    return counts.counts


def ticket_paths(directory: Path, source: Any) -> list[Path]:
    """The files of a ticket source by name, also those that nobody can read; without hidden ones, the locks
    that spreadsheets leave, and what is still being brought.

    Raises Unreachable when the place is gone.
    """
    place = directory / (source.folder or source.file)
    if source.file:
        if not place.is_file():
            raise Unreachable(f"{place} 不存在；请核对 sources.yaml 的 file")
        return [place]
    if not place.is_dir():
        raise Unreachable(f"文件夹 {place} 不存在；请建立它，或改 sources.yaml 的 folder")
    shown = (path for path in place.iterdir() if not path.name.startswith((".", "~$")))
    return sorted(path for path in shown if not path.name.lower().endswith(UNDER_WAY) and path.is_file())


def is_whole(path: Path) -> bool:
    """Does the file end as a finished one does? Half-written ones mostly do not."""
    name = path.name.lower()
    if name.endswith((".xlsx", ".xlsm")):
        return zipfile.is_zipfile(path)
    if name.endswith(".gz") or not name.endswith(ENDINGS):
        return False  # its end looks like any other; it has to settle
    end = _tail(path).replace(b"\x00", b"")
    return end.rstrip().endswith((b"]", b"}")) if name.endswith(".json") else end.endswith((b"\n", b"\r"))


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 64))
        return file.read(64)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


# ── mailboxes ─────────────────────────────────────────────────────────────────────────────────


def account_of(house: House, source: Any) -> mailbox.Account:
    """Raises Refused for a line without TLS to a host that the site does not allow."""
    about = source.mailbox
    allowed = {canonical_host(host) for host in house.site.http.allow_hosts}
    if not about.tls and canonical_host(about.host) not in allowed:
        raise Refused(
            f"邮箱 {about.host} 写了 tls: false；密码会明文传输，只有 site.yaml 的 http.allow_hosts 里的主机可以这样"
        )
    secret = secret_of(house, about.password)
    return mailbox.Account(
        about.host, about.user, secret, about.folder, about.port, plain=not about.tls, move_to=about.move_to
    )


def read_mailbox(house: House, source: Any, state: State, tally: Tally) -> State:
    """Read what is new by UID; each mail is marked or moved only after the database has it.

    A new UIDVALIDITY means that the server has numbered anew: everything is read again, and known again.
    """
    with mailbox.opened(account_of(house, source)) as box:
        last = state.get("uid", 0) if state.get("uidvalidity") == box.validity else 0
        for _ in range(MAILS_A_LOOK // mailbox.AT_ONCE):
            letters = list(box.letters(last))
            if not letters:
                break
            columns = Columns(house, source.id)
            for letter in letters:
                for batch in mail_batches(letter, source, columns):
                    tally.add(store_each(house, batch, source.id))
            box.done([letter.uid for letter in letters])
            last = letters[-1].uid
        return {**state, "uidvalidity": box.validity, "uid": last}


@cache
def _mail_readers() -> Pool:
    pool = Pool("connectors.mailbox:read_mail", size=1)
    atexit.register(pool.close)
    return pool


def mail_batches(letter: mailbox.Letter, source: Any, columns: Columns) -> Iterator[Batch]:
    """A mail's tickets: the rows of its tables; without a table, its own words. Never raises for what it holds."""
    place = f"邮件 {letter.uid}"
    if letter.data is None:
        reason = f"{place}: 有 {letter.size:,} 字节，太大；请在邮箱里打开，附件用 huiying import 导入"
        yield Batch((), (Rejected(place, reason, ""),))
        return
    try:
        mail = _mail_readers().run({}, letter.data, MAIL_S)
    except Cut as cut:
        yield Batch((), (Rejected(place, f"{place}: 读这封邮件时{cut}；请在邮箱里打开", ""),))
        return
    yield from (
        _tables(mail, place, source, columns) if mail["attachments"] else [_words(mail, place, source)]
    )
    if mail["left"]:
        reason = f"{place}: {'；'.join(mail['left'])}；请在邮箱里打开，有工单就用 huiying import 导入"
        yield Batch((), (Rejected(f"{place} 其余", reason, mail["subject"]),))


def _words(mail: Mapping[str, Any], place: str, source: Any) -> Batch:
    sender = re.sub(r"\s*<[^>]*>\s*$", "", mail["sender"]).strip('" ')
    row = {"id": mail["id"], "title": mail["subject"], "body": mail["body"], "author": sender}
    dated = {**row, "published_at": mail["date"]}
    found = accept(dated, place, source_id=source.id, medium=source.door)
    if isinstance(found, Rejected):  # a date that nobody can read is no reason to lose the letter
        found = accept(row, place, source_id=source.id, medium=source.door)
    return Batch((found,)) if isinstance(found, RawSignal) else Batch((), (found,))


def _tables(mail: Mapping[str, Any], place: str, source: Any, columns: Columns) -> Iterator[Batch]:
    for attached in mail["attachments"]:
        with tempfile.TemporaryDirectory(prefix="huiying-mail-") as room:
            path = Path(room) / f"{place.replace(' ', '')}-{attached['name']}"
            path.write_bytes(base64.b64decode(attached["data"]))
            yield from _table(path, source, columns)


def _table(path: Path, source: Any, columns: Columns) -> Iterator[Batch]:
    try:
        yield from tickets.read_batches(
            path, source_id=source.id, medium=source.door, mapping=columns.mapping, told=columns.heard
        )
    except Refused as refused:
        yield Batch((), (Rejected(path.name, str(refused), ""),))


# ── pushes ────────────────────────────────────────────────────────────────────────────────────


def push(house: House, source_id: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """A signed push into the ledger: read, accepted, duplicate, rejected, and why.

    Raises, as the console knows them: Unknown for a source that takes no pushes, Unsigned, Unavailable.
    """
    source = next((one for one in house.site.sources.tickets if one.id == source_id and one.webhook), None)
    if source is None or source.webhook is None:
        raise Unknown(f"没有可以推送的信源 “{source_id[:40]}”；请核对地址，并在 sources.yaml 写 webhook")
    try:
        secret = secret_of(house, source.webhook.secret)
        sent = inbound.verify(secret, headers, body, world(house.time)(), source.webhook.replay_window)
        used = saved_mapping(house, source.id)
    except inbound.Unsigned as error:
        raise Unsigned(str(error)) from None
    except Refused as error:
        raise Unavailable(str(error)) from None
    batch = inbound.read_push(body, sent, source_id=source.id, medium=source.door, mapping=used)
    counts = store_each(house, batch, source.id)
    with house.store.write() as conn:
        duties.put_source(conn, good_row(source, "tickets", source.place, house.time.now(), {}))
    return {**counts, "reasons": [mask_personal(one.reason) for one in batch.rejected[:5]]}
