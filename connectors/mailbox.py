"""An e-mail box by IMAP → messages, each by its UID, oldest first; marked only after we have kept it.

`Mailbox` speaks the protocol (imaplib, one connection per look); `read_mail` makes words and attachments
of a message's bytes and runs in a process of its own, because a mail is text from a stranger.
"""

from __future__ import annotations

import base64
import email.policy
import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from typing import Any

from connectors import encodings, plaintext
from connectors.ports import Refused, Unreachable
from connectors.tables import ENDINGS

MAX_MAIL = 25 * 2**20  # bytes of one message; the usual limit of servers
MAX_PARTS = 100
MAX_DEPTH = 12
MAX_ATTACHMENTS = 10
AT_ONCE = 50
MAX_NAMED = 10
SEALS = ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature")
"""Attachments that say who wrote the mail and nothing else."""
_QUOTED = re.compile(r'["\\\r\n\x00]')


@dataclass(frozen=True, slots=True)
class Account:
    """Where a box is and who we are there. `plain` without TLS, for hosts of our own network."""

    host: str
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    port: int | None = None
    plain: bool = False
    move_to: str | None = None
    timeout_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as it lies in the box; `data` None when it is larger than MAX_MAIL."""

    uid: int
    size: int
    data: bytes | None = field(repr=False)


class Mailbox:
    """An open, selected folder. Use `opened`."""

    def __init__(self, line: imaplib.IMAP4, account: Account, validity: int, knows: frozenset[str]) -> None:
        self._line, self._account, self.validity, self._knows = line, account, validity, knows

    def letters(self, after: int, most: int = AT_ONCE) -> Iterator[Letter]:
        """Messages with a UID above `after`, in order. Nothing is marked by reading."""
        for uid in self._uids(after)[:most]:
            yield self._letter(uid)

    def _uids(self, after: int) -> list[int]:
        found = _good(self._line.uid("SEARCH", "UID", f"{after + 1}:*"), "查找")
        # "n:*" names the last message even when its UID is below n
        return sorted(uid for uid in map(int, b" ".join(found).split()) if uid > after)

    def _letter(self, uid: int) -> Letter:
        sizes = b"".join(_flat(_good(self._line.uid("FETCH", str(uid), "(RFC822.SIZE)"), "读取")))
        size = int(found[1]) if (found := re.search(rb"RFC822\.SIZE (\d{1,12})", sizes)) else 0
        if size > MAX_MAIL:
            return Letter(uid, size, None)
        parts = _good(self._line.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{MAX_MAIL}>)"), "读取")
        data = next((part[1] for part in parts if isinstance(part, tuple)), b"")
        return Letter(uid, size, data)

    def done(self, uids: list[int]) -> None:
        """Mark these as read, or move them, now that they are in our database."""
        for start in range(0, len(uids), AT_ONCE):
            some = ",".join(map(str, uids[start : start + AT_ONCE]))
            if self._account.move_to:
                self._move(some, _quoted(self._account.move_to))
            else:
                _good(self._line.uid("STORE", some, "+FLAGS.SILENT", r"(\Seen)"), "标记")

    def _move(self, uids: str, folder: str) -> None:
        """RFC 6851 where the server knows it, else copy, mark, and expunge just these (RFC 4315)."""
        if "MOVE" in self._knows:
            _good(self._line.uid("MOVE", uids, folder), "移动")
            return
        _good(self._line.uid("COPY", uids, folder), "复制")
        _good(self._line.uid("STORE", uids, "+FLAGS.SILENT", r"(\Seen \Deleted)"), "标记")
        if "UIDPLUS" in self._knows:
            _good(self._line.uid("EXPUNGE", uids), "清除")


@contextmanager
def opened(account: Account) -> Iterator[Mailbox]:
    """Connect, log in and select. Raises Unreachable or Refused with the place and the way out."""
    place = f"邮箱 {account.user}@{account.host}"
    try:
        line = _connected(account)
    except ssl.SSLError as error:
        raise Refused(f"{place} 的证书或加密不对（{error}）；请核对主机名和证书") from None
    except (OSError, imaplib.IMAP4.error) as error:
        raise Unreachable(f"{place} 连不上（{error}）；请核对主机、端口和网络") from None
    try:
        yield _selected(line, account, place)
    except imaplib.IMAP4.abort as error:
        raise Unreachable(f"{place} 中途断开（{error}）；稍后再试") from None
    except (imaplib.IMAP4.error, OSError, ValueError) as error:
        raise Unreachable(f"{place} 的答复不对（{_said(error)}）；稍后再试") from None
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            line.logout()
        with suppress(OSError):
            line.shutdown()  # a broken line is not closed by its farewell


def _connected(account: Account) -> imaplib.IMAP4:
    if account.plain:
        return imaplib.IMAP4(account.host, account.port or 143, timeout=account.timeout_s)
    context = ssl.create_default_context()
    return imaplib.IMAP4_SSL(
        account.host, account.port or 993, ssl_context=context, timeout=account.timeout_s
    )


def _selected(line: imaplib.IMAP4, account: Account, place: str) -> Mailbox:
    try:
        line.login(account.user, account.password)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise Refused(
            f"{place} 不让登录（{_said(error)}）；请核对用户名和授权码，并确认已开通 IMAP"
        ) from None
    kind, answer = line.select(_quoted(account.folder))
    if kind != "OK":
        raise Refused(f"{place} 没有文件夹 {account.folder}（{_said(answer)}）；请改 mailbox.folder")
    _, validity = line.response("UIDVALIDITY")
    numbered = int(validity[0]) if validity and validity[0] else 0
    return Mailbox(line, account, numbered, _abilities(line))


def _abilities(line: imaplib.IMAP4) -> frozenset[str]:
    """Asked again after the login: before it, servers hide most of what they can (imaplib asks only then)."""
    said = b" ".join(_good(line.capability(), "询问"))
    return frozenset(said.decode("ascii", "replace").upper().split())


def _good(answer: tuple[str, list[Any]], doing: str) -> list[Any]:
    kind, parts = answer
    if kind != "OK":
        raise imaplib.IMAP4.error(f"{doing}: {_said(parts)}")
    return [part for part in parts if part is not None]


def _flat(parts: list[Any]) -> Iterator[bytes]:
    for part in parts:
        yield from part if isinstance(part, tuple) else (part,)


def _said(answer: object) -> str:
    parts = answer.args if isinstance(answer, Exception) else answer
    words = parts[0] if isinstance(parts, (list, tuple)) and parts else parts
    return (words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words))[:200]


def _quoted(name: str) -> str:
    """A folder's name as IMAP writes it: quoted, in modified UTF-7 (RFC 3501 5.1.3)."""
    return f'"{_utf7(_QUOTED.sub("", name))}"'


def _utf7(name: str) -> str:
    made = []
    for piece in re.findall(r"[\x20-\x7e]+|[^\x20-\x7e]+", name):
        if piece.isascii():
            made.append(piece.replace("&", "&-"))
        else:
            code = base64.b64encode(piece.encode("utf-16-be")).decode().rstrip("=").replace("/", ",")
            made.append(f"&{code}-")
    return "".join(made)


# ── one message's bytes ───────────────────────────────────────────────────────────────────────


def read_mail(request: dict[str, Any], data: bytes) -> dict[str, Any]:
    """A message's bytes → {id, subject, sender, date, body, attachments: [{name, data (base64)}], left}.

    Runs isolated. `left` names what was not read, because there was too much of it or because it is no table.
    """
    mail = message_from_bytes(data, policy=email.policy.compat32)
    left: list[str] = []
    parts = list(_parts(mail, left))
    return {
        "id": _header(mail, "Message-ID").strip("<> ")[:400],
        "subject": plaintext.clean(_header(mail, "Subject"), 1_000),
        "sender": plaintext.clean(_header(mail, "From"), 200),
        "date": _header(mail, "Date")[:100],
        "body": _body(parts) + _beside(parts),
        "attachments": list(_attachments(parts, left)),
        "left": left,
    }


def _parts(mail: Message, left: list[str]) -> Iterator[Message]:
    """The leaves of a message, at most MAX_PARTS of them and MAX_DEPTH deep."""
    waiting, count = [(mail, 0)], 0
    while waiting:
        part, depth = waiting.pop()
        inside = part.get_payload()
        if isinstance(inside, list) and depth < MAX_DEPTH:
            waiting.extend((one, depth + 1) for one in reversed(inside) if isinstance(one, Message))
        elif not isinstance(inside, list) and count < MAX_PARTS:
            count += 1
            yield part
        else:
            left.append(f"超过 {MAX_PARTS} 个部件或 {MAX_DEPTH} 层，其余没有读")
            return


def _body(parts: list[Message]) -> str:
    """The plain text when there is one, else the HTML's words; what is attached is no body."""
    shown = [part for part in parts if not _name(part) and _disposition(part) != "attachment"]
    for kind in ("text/plain", "text/html"):
        texts = [_text(part) for part in shown if part.get_content_type() == kind]
        if kind == "text/html":
            texts = [plaintext.from_html(text) for text in texts]
        if body := plaintext.clean("\n".join(texts)):
            return body
    return ""


def _text(part: Message) -> str:
    return encodings.decode(_bytes(part), part.get_content_charset())


def _bytes(part: Message) -> bytes:
    """A part's content without its transfer encoding (quoted-printable, base64)."""
    try:
        content = part.get_payload(decode=True)
    except (MessageError, ValueError, LookupError):
        content = None
    return content if isinstance(content, bytes) else b""


def _attachments(parts: list[Message], left: list[str]) -> Iterator[dict[str, str]]:
    """The tables among what is attached; what else there is, is named."""
    attached = [(_attached_as(part), part) for part in parts if part.get_content_type() not in SEALS]
    tables = [(name, part) for name, part in attached if name.lower().endswith(ENDINGS)]
    others = [
        name for name, part in attached if name and not name.lower().endswith(ENDINGS) and not _shown(part)
    ]
    if others:
        more = f"等 {len(others)} 个" if len(others) > MAX_NAMED else ""
        left.append(f"附件 {'、'.join(others[:MAX_NAMED])}{more} 不是能读的表格，没有读")
    if len(tables) > MAX_ATTACHMENTS:
        left.append(f"超过 {MAX_ATTACHMENTS} 个表格附件，其余没有读")
    for name, part in tables[:MAX_ATTACHMENTS]:
        yield {"name": name, "data": base64.b64encode(_bytes(part)).decode()}


def _beside(parts: list[Message]) -> str:
    """Photos and recordings are no table that was missed: the text says that they were sent."""
    names = [_attached_as(part) for part in parts if _shown(part) and _attached_as(part)]
    more = f"等 {len(names)} 个" if len(names) > MAX_NAMED else ""
    return f"\n（另附 {'、'.join(names[:MAX_NAMED])}{more}，在原邮件里）" if names else ""


def _shown(part: Message) -> bool:
    return part.get_content_maintype() in ("image", "audio", "video")


def _attached_as(part: Message) -> str:
    """The name of what is attached; "" for the mail's own words. One that has no name gets its type's."""
    name = _name(part)
    if name.startswith((".", "~$")):
        return ""
    return name or (part.get_content_type() if _disposition(part) == "attachment" else "")


def _name(part: Message) -> str:
    """An attachment's name, without any folder; "" for what has none."""
    try:
        name = _decoded(part.get_filename() or "")
    except (MessageError, ValueError, LookupError):
        name = ""
    return re.sub(r"[\x00-\x1f]", "", re.split(r"[/\\]", name)[-1])[-100:]


def _disposition(part: Message) -> str:
    return str(part.get("Content-Disposition", ""))[:40].split(";")[0].strip().lower()


def _header(mail: Message, name: str) -> str:
    """As it came: `get` would replace bytes that are not ASCII, which old programs send."""
    raw = next((value for key, value in mail.raw_items() if key.lower() == name.lower()), "")
    return _decoded(str(raw)[:8_000])


def _decoded(value: str) -> str:
    """RFC 2047 words, whatever charset they state; raw bytes in a header are told apart like a body's."""
    try:
        pieces = decode_header(value)
    except (MessageError, ValueError):
        return value
    return "".join(
        encodings.decode(piece, charset) if isinstance(piece, bytes) else _raw(piece)
        for piece, charset in pieces
    )


def _raw(piece: str) -> str:
    if piece.isascii():
        return piece
    try:
        return encodings.decode(piece.encode("ascii", "surrogateescape"))
    except UnicodeEncodeError:
        return piece
