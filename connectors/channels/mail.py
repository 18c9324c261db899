"""Alerts by mail: one letter to one mailbox over SMTP (RFC 5321), read by a person or by a phone's lock screen.

The server's own "250" after the whole letter is the yes; 4xx is a passing no, 5xx a lasting one, and a line
that breaks after the letter went out may have delivered it. Letters that come back later (bounces) are not
read: they go to the sender's mailbox, which somebody has to look at.

Nothing goes over a line that is not encrypted to a server whose certificate holds, unless the site says
`tls: none`, which takes no password. Text from outside is escaped in the body and cannot start a header.
"""

from __future__ import annotations

import html
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from threading import Timer
from typing import Any

from connectors.channels.settings import Now, Secrets, Settings, name, seconds, secret, text, whole
from connectors.channels.view import View, cut, plain, view
from connectors.ports import Delivery, Message, Outcome, Refused
from models.core.addressing import mailbox
from models.core.moment import parse_iso

PORTS = {"starttls": 587, "tls": 465, "none": 25}
PATIENCE = 4
"""Times `timeout_s`: how long one conversation may last, however the server drips."""
LONGEST = 20.0
"""Seconds for each step, so that a whole conversation ends before its alert is given to another sender."""
SUBJECT = 160
"""Characters."""
POLICY = SMTP.clone(cte_type="7bit", max_line_length=76)
_DOT = re.compile(rb"(?m)^\.")
_HINTS = {
    530: "服务器要求先加密或登录；请核对 tls、username",
    534: "服务器不接受这种登录；请在邮箱里开启 SMTP 授权码",
    535: "用户名或密码不对；很多邮箱要用授权码而不是登录密码",
    550: "没有这个收件人，或服务器不许代发；请核对 roster.yaml 里的邮箱和 sender",
    552: "邮件太大或对方邮箱已满",
    553: "发件人或收件人地址不被接受；sender 一般要与登录的邮箱相同",
    554: "服务器拒收；请看服务器的说明",
}


class _Refusal(Exception):
    """The server said no, with its code."""

    def __init__(self, code: int, words: object) -> None:
        super().__init__(code)
        said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
        self.code, self.words = code, plain(said, 200)


class _Line(smtplib.SMTP):
    """A conversation that is opened by `connect`, so that a deadline can be set on it before."""

    def __init__(self, host: str, timeout: float, own: str) -> None:
        super().__init__(timeout=timeout, local_hostname=own)
        self._host = host  # whose certificate STARTTLS asks for


class _SealedLine(smtplib.SMTP_SSL):
    def __init__(self, host: str, timeout: float, own: str, context: ssl.SSLContext) -> None:
        super().__init__(timeout=timeout, local_hostname=own, context=context)
        self._host = host


@dataclass(slots=True, eq=False)
class Mail:
    """Sends from one mailbox; a conversation for each letter, so usable from many threads."""

    id: str
    host: str
    port: int
    tls: str
    sender: str
    called: str
    timeout_s: float
    context: ssl.SSLContext = field(repr=False)
    username: str = field(repr=False, default="")
    password: str = field(repr=False, default="")
    now: Now | None = field(repr=False, default=None)
    type: str = "mail"

    def send(self, message: Message) -> Delivery:
        try:
            to = mailbox(message.address)
        except ValueError as error:
            return Delivery(Outcome.REFUSED, f"{self.id}: “{plain(message.address, 60)}” {error}")
        at = self.now() if self.now else parse_iso(str(message.payload["sent_at"]))
        letter = written(message, to, self.sender, self.called, at)
        return self._talk(lambda line, out: _handed(line, self.sender, to, letter, out))

    def check(self) -> str | None:
        return None

    def greet(self) -> str | None:
        """Reach the server, encrypted and signed in as for a letter, and part again: what is wrong, or None."""
        done = self._talk(lambda line, out: line.docmd("QUIT")[1].decode("utf-8", "replace"))
        return None if done.outcome is Outcome.ACCEPTED else done.reason

    def close(self) -> None:
        """Each letter has a conversation of its own, closed when it is said."""

    def _talk(self, talk: Callable[[smtplib.SMTP, list[bool]], str]) -> Delivery:
        """One conversation; what it came to."""
        out: list[bool] = []  # holds something as soon as the letter may have left
        try:
            with self._open() as line:
                answer = talk(line, out)
        except _Refusal as error:
            return _no(self.id, error.code, error.words, bool(out))
        except smtplib.SMTPResponseException as error:
            said = _Refusal(error.smtp_code, error.smtp_error)
            return _no(self.id, said.code, said.words, bool(out))
        except smtplib.SMTPNotSupportedError:
            return Delivery(
                Outcome.REFUSED, f"{self.id}: 服务器不支持所要的加密或登录方式；请核对 tls、port、username"
            )
        except (OSError, smtplib.SMTPException, ValueError) as error:
            return _broken(self.id, error, bool(out))
        return Delivery(Outcome.ACCEPTED, f"{self.id}: 250", receipt=plain(answer, 120) or None)

    @contextmanager
    def _open(self) -> Iterator[smtplib.SMTP]:
        """A conversation, encrypted and signed in as the settings say, that ends in time."""
        own = self.sender.rpartition("@")[2]
        line: smtplib.SMTP
        if self.tls == "tls":
            line = _SealedLine(self.host, self.timeout_s, own, self.context)
        else:
            line = _Line(self.host, self.timeout_s, own)
        watch = Timer(self.timeout_s * PATIENCE, _cut, (line,))
        watch.daemon = True
        watch.start()
        try:
            self._begin(line)
            yield line
        finally:
            watch.cancel()
            line.close()

    def _begin(self, line: smtplib.SMTP) -> None:
        code, words = line.connect(self.host, self.port)
        if code != 220:
            raise _Refusal(code, words)
        line.ehlo_or_helo_if_needed()
        if self.tls == "starttls":
            line.starttls(context=self.context)  # refused where it is not offered: never in the clear
            line.ehlo()
        if self.username:
            line.login(self.username, self.password)


def build(settings: Settings, secrets: Secrets, now: Now | None = None) -> Mail:
    """{id, type: mail, host, sender, tls: starttls | tls | none, port, username, password, name, ca,
    timeout_s: 10}; `ca`: a reference to the authority's certificate, PEM. Raises Refused."""
    tls = text(settings, "tls", "starttls")
    if tls not in PORTS:
        raise Refused(f"{name(settings)}: 'tls' is {tls!r}; write {', '.join(PORTS)}")
    username = str(settings.get("username") or "")
    if username and tls == "none":
        raise Refused(f"{name(settings)}: a password never goes in the clear; write tls: starttls")
    return Mail(
        id=text(settings, "id"),
        host=text(settings, "host"),
        port=whole(settings, "port", PORTS[tls], 65_535),
        tls=tls,
        sender=_sender(settings),
        called=plain(settings.get("name") or "回应", 60),
        timeout_s=seconds(settings, "timeout_s", 10.0, LONGEST),
        context=_trusting(settings, secrets),
        username=username,
        password=secret(settings, secrets, "password") if username else "",
        now=now,
    )


def _trusting(settings: Settings, secrets: Secrets) -> ssl.SSLContext:
    """Whose certificates count: the system's authorities, or the site's own alone."""
    if not settings.get("ca"):
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cadata=secret(settings, secrets, "ca"))
    except ssl.SSLError:
        raise Refused(f"{name(settings)}: 'ca' is no certificate; write file:… of a PEM file") from None


def _sender(settings: Settings) -> str:
    try:
        return mailbox(text(settings, "sender"))
    except ValueError as error:
        raise Refused(f"{name(settings)}: 'sender' {error}") from None


# ── the letter ────────────────────────────────────────────────────────────────────────────────────


def written(message: Message, to: str, sender: str, called: str, at: datetime) -> bytes:
    """The letter as it goes out, lines ending in CRLF. `at`: the wall clock."""
    seen, domain = view(message), sender.rpartition("@")[2]
    letter = EmailMessage(policy=POLICY)
    letter["From"] = Address(_inert(called), addr_spec=sender)
    letter["To"] = Address(_inert(seen.who), addr_spec=to)
    letter["Subject"] = _inert(subject(seen))
    letter["Date"] = format_datetime(at)
    letter["Message-ID"] = f"<{_token(message.alert_id)}@{domain}>"  # the same on a resend
    for header, value in _threading(message.payload, domain).items():
        letter[header] = value
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine writes back
    letter["X-Auto-Response-Suppress"] = "All"
    letter["List-Id"] = f"<huiying.{domain}>"
    letter.set_content(body(seen))
    letter.add_alternative(page(seen), subtype="html")
    return letter.as_bytes()


def subject(seen: View) -> str:
    """【橙 · II 级 重大】化工园区爆燃 · 舆-2026-0012 首次发布 75%."""
    badge = f"【{seen.badge}】" if seen.badge else ""
    more = f"（另 {len(seen.also)} 条）" if seen.also else ""
    return cut(f"{badge}{' · '.join(filter(None, (seen.title, seen.ref)))}{more}" or "提醒", SUBJECT)


def _inert(words: str) -> str:
    """`words` for a header: what looks like an encoded word (RFC 2047) would be decoded on the way, line
    ends and all, so it is made to look like none."""
    return words.replace("=?", "＝?")


def _threading(payload: dict[str, Any], domain: str) -> dict[str, str]:
    """All letters about one incident answer the same first one, which was never sent."""
    incident = payload.get("incident")
    known = incident.get("id") if isinstance(incident, dict) else None
    root = f"<incident-{_token(str(known))}@{domain}>"
    return {"In-Reply-To": root, "References": root} if known else {}


def _token(words: str) -> str:
    """What may stand before the @ of a message's id: other characters by their number."""
    kept = (one if one.isascii() and (one.isalnum() or one in "-_") else f".{ord(one):x}" for one in words)
    return "".join(kept)[:200] or "none"


def said(seen: View) -> list[tuple[str, str]]:
    """(label, words) in the order of reading; a label may be empty."""
    again = f"第 {seen.attempt} 次发送，与前次为同一提醒" if seen.attempt > 1 else ""
    rows = [
        ("缘由", seen.why),
        ("期限", "，".join(filter(None, (seen.due, seen.left, seen.state)))),
        ("事项", seen.ref),
        ("送", " ".join(filter(None, (seen.who, seen.rung)))),
        ("依据", seen.basis),
        ("说明", again),
        *((f"另 {n}", other) for n, other in enumerate(seen.also, 1)),
    ]
    return [(label, words) for label, words in rows if words]


def links(seen: View) -> list[tuple[str, str]]:
    """(what it does, address): to acknowledge at one press where the site can be reached, and the page."""
    more = [(f"签收 {ref}", url) for ref, url in seen.also_ack]
    every = [("签收（打开后再按一次确认）", seen.ack_url), *more, ("打开页面", seen.url)]
    return [(label, url) for label, url in every if url]


def body(seen: View) -> str:
    """The letter in plain text."""
    head = f"【{seen.badge}】{seen.title}" if seen.badge else seen.title
    lines = [head, "", *(f"{label}：{words}" for label, words in said(seen)), ""]
    lines += [f"{label}：{url}" for label, url in links(seen)]
    return "\n".join([*lines, "", "本邮件由系统自动发出，请勿直接回复。", ""])


def page(seen: View) -> str:
    """The same as simple HTML: every word escaped, no picture, nothing fetched."""
    rows = "".join(
        f'<tr><th align="left" valign="top">{html.escape(label)}</th><td>{html.escape(words)}</td></tr>'
        for label, words in said(seen)
    )
    doors = "".join(
        f'<p><a href="{html.escape(url, quote=True)}">{html.escape(label)}</a></p>'
        for label, url in links(seen)
    )
    badge = f"【{html.escape(seen.badge)}】" if seen.badge else ""
    return (
        f'<!doctype html><html lang="zh-CN"><body><h2>{badge}{html.escape(seen.title)}</h2>'
        f'<table cellpadding="4">{rows}</table>{doors}'
        "<p><small>本邮件由系统自动发出，请勿直接回复。</small></p></body></html>\n"
    )


# ── the conversation ──────────────────────────────────────────────────────────────────────────────


def _handed(line: smtplib.SMTP, sender: str, to: str, letter: bytes, out: list[bool]) -> str:
    """The server's words when it took the letter. Raises _Refusal at the first no."""
    most = line.esmtp_features.get("size", "")
    if most.isdecimal() and 0 < int(most) < len(letter):
        raise _Refusal(552, f"邮件 {len(letter)} 字节，服务器最多收 {most} 字节")
    sized = [f"SIZE={len(letter)}"] if line.has_extn("size") else []
    _agreed(line.mail(sender, sized))
    _agreed(line.rcpt(to))
    _agreed(line.docmd("DATA"), 354)
    out.append(True)
    line.send(_DOT.sub(b"..", letter) + b".\r\n")
    words = _agreed(line.getreply())
    with suppress(OSError, smtplib.SMTPException):  # it has the letter; how it parts is no matter
        line.docmd("QUIT")
    return words


def _agreed(answer: tuple[int, bytes], wanted: int = 250) -> str:
    code, words = answer
    if code != wanted and not (wanted == 250 and code in (251, 252)):
        raise _Refusal(code, words)
    return words.decode("utf-8", "replace")


def _no(place: str, code: int, words: str, out: bool) -> Delivery:
    """4xx may pass, 5xx will not; after the letter went out, what is no code of either is no answer."""
    hint = f"；{_HINTS[code]}" if code in _HINTS else ""
    if 500 <= code < 600:
        return Delivery(Outcome.REFUSED, f"{place}: {code} {words}{hint}")
    known = 400 <= code < 500
    return Delivery(Outcome.UNKNOWN if out and not known else Outcome.RETRY, f"{place}: {code} {words}{hint}")


def _broken(place: str, error: Exception, out: bool) -> Delivery:
    words = plain(f"{type(error).__name__} {error}", 160)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Delivery(
            Outcome.RETRY, f"{place}: 邮件服务器的证书不可信，没有发送 ({words})；请核对 host，或写上 ca"
        )
    if out:
        return Delivery(Outcome.UNKNOWN, f"{place}: 已发出，未见答复 ({words})")
    return Delivery(Outcome.RETRY, f"{place}: 未能送上服务器 ({words})")


def _cut(line: smtplib.SMTP) -> None:
    """End a conversation that has lasted too long; whoever waits in it wakes."""
    if line.sock is not None:
        with suppress(OSError):
            line.sock.shutdown(socket.SHUT_RDWR)
