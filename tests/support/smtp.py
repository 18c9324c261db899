"""Mail servers on loopback: a real one (aiosmtpd, with TLS and passwords), and one that misbehaves as told."""

from __future__ import annotations

import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from support.ports import free_port

USER, PASSWORD = "huiying", "rehearsal mail password"


@dataclass
class Taken:
    """One letter as it came: the envelope and the message."""

    sender: str
    recipients: list[str]
    raw: bytes
    sealed: bool

    @property
    def letter(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)

    def part(self, kind: str) -> str:
        """The text of its `plain` or `html` part."""
        for one in self.letter.walk():
            if one.get_content_type() == f"text/{kind}":
                return str(one.get_content())
        raise AssertionError(f"no text/{kind} part")


@dataclass
class Keeper:
    """aiosmtpd's handler: keeps what comes, refuses whom it is told to."""

    letters: list[Taken] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.content
        assert isinstance(raw, bytes)
        sealed = session.ssl is not None
        self.letters.append(Taken(envelope.mail_from or "", list(envelope.rcpt_tos), raw, sealed))
        return "250 2.0.0 queued as 4711"


def _known(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=good, handled=good)


class Post:
    """A mail server: `with Post(keystore, tls="starttls") as post: post.port; post.letters`."""

    def __init__(self, keystore: Path | None, tls: str = "starttls", size: int = 2**20) -> None:
        self.keeper = Keeper()
        context = None
        if keystore is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(keystore)
        settings: dict[str, Any] = {"data_size_limit": size, "hostname": "127.0.0.1"}
        if context is not None and tls == "starttls":
            settings |= {"tls_context": context, "require_starttls": True}
        if context is not None:
            begun = tls == "starttls"  # aiosmtpd takes a line sealed from the first byte for an open one
            settings |= {"authenticator": _known, "auth_required": begun, "auth_require_tls": begun}
        sealed = context if tls == "tls" else None
        self._controller = Controller(self.keeper, port=free_port(), ssl_context=sealed, **settings)

    @property
    def port(self) -> int:
        return int(self._controller.port)

    @property
    def letters(self) -> list[Taken]:
        return self.keeper.letters

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


MANNERS = {
    "CONNECT": "220 rude.example",
    "EHLO": "250 rude.example",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    ".": "250 2.0.0 queued",
    "QUIT": "221 bye",
}
CLOSE, HANG, DRIP = "close", "hang", "drip"


class Rude:
    """Speaks SMTP as `manners` say: an answer for each word, or `CLOSE`, `HANG`, `DRIP` (a byte at a
    time, never a line's end)."""

    def __init__(self, **manners: str) -> None:
        self.manners = MANNERS | manners
        self.said: list[str] = []
        self.over = threading.Event()
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                outer.talk(self)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads = True, True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]

    def talk(self, line: socketserver.StreamRequestHandler) -> None:
        if not self.answer(line, "CONNECT"):
            return
        while word := self.heard(line):
            if not self.answer(line, word):
                return

    def heard(self, line: socketserver.StreamRequestHandler) -> str:
        text = line.rfile.readline().decode("utf-8", "replace").strip()
        self.said.append(text)
        return text.partition(" ")[0].upper()

    def answer(self, line: socketserver.StreamRequestHandler, word: str) -> bool:
        """False when the conversation is over."""
        told = self.manners.get(word, "502 what?")
        if told == CLOSE:
            return False
        if told == HANG:
            self.over.wait()
            return False
        if told == DRIP:
            return self.drip(line)
        line.wfile.write(told.encode() + b"\r\n")
        if told.startswith("354"):
            self.letter(line)
            return self.answer(line, ".")
        return word != "QUIT"

    def letter(self, line: socketserver.StreamRequestHandler) -> None:
        for part in line.rfile:
            if part == b".\r\n":
                return

    def drip(self, line: socketserver.StreamRequestHandler) -> bool:
        while not self.over.wait(0.02):
            try:
                line.wfile.write(b"2")
            except OSError:
                break
        return False

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
