"""An IMAP server of our own, on loopback: the part of RFC 3501, 4315 and 6851 that a reader of mail uses.

    with Imap({"INBOX": [mail_bytes]}) as server: server.port, server.folders["INBOX"]

A hand-written stand-in of the protocol, spoken to by the real imaplib over a real socket.
"""

from __future__ import annotations

import re
import socketserver
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any


@dataclass
class Mail:
    uid: int
    data: bytes
    flags: set[str] = field(default_factory=set)


class Imap:
    """`moves`: knows UID MOVE. `uidvalidity` and `folders` may be changed between two looks."""

    def __init__(
        self, folders: dict[str, list[bytes]], *, moves: bool = True, password: str = "pass word"
    ) -> None:
        self.folders = {
            name: [Mail(n, data) for n, data in enumerate(mails, 1)] for name, mails in folders.items()
        }
        self.password, self.moves, self.uidvalidity = password, moves, 7
        self.lock = Lock()
        self.said: list[str] = []
        self.cut_after: int | None = None
        """The connection is dropped after so many more FETCH commands."""
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                _Talk(outer, self.rfile, self.wfile).run()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads = True, True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Imap:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def deliver(self, folder: str, data: bytes) -> None:
        mails = self.folders[folder]
        mails.append(Mail(max((mail.uid for mail in mails), default=0) + 1, data))


class _Talk:
    def __init__(self, server: Imap, reading: Any, writing: Any) -> None:
        self.server, self.reading, self.writing = server, reading, writing
        self.folder, self.inside = "", False

    def tell(self, text: str) -> None:
        self.writing.write(text.encode() + b"\r\n")

    def run(self) -> None:
        self.tell("* OK ready")
        while line := self.reading.readline():
            tag, _, rest = line.decode().strip().partition(" ")
            name, _, more = rest.partition(" ")
            if name.upper() == "UID":
                name, _, more = more.partition(" ")
            self.server.said.append(f"{name.upper()} {more}")
            with self.server.lock:
                answer = getattr(self, f"_{name.lower()}", self._unknown)(more)
            if answer is None:
                return
            self.tell(f"{tag} {answer}")
            if name.upper() == "LOGOUT":
                return

    def _unknown(self, _: str) -> str:
        return "BAD unknown command"

    def _capability(self, _: str) -> str:
        """As Dovecot does: what it can is told in full only to those who are in."""
        more = (" UIDPLUS" + (" MOVE" if self.server.moves else "")) if self.inside else " AUTH=PLAIN"
        self.tell("* CAPABILITY IMAP4rev1" + more)
        return "OK done"

    def _login(self, more: str) -> str:
        self.inside = more.endswith(f'"{self.server.password}"')
        return "OK in" if self.inside else "NO wrong password"

    def _select(self, more: str) -> str:
        self.folder = more.strip('"')
        if self.folder not in self.server.folders:
            return "NO no such mailbox"
        self.tell(f"* {len(self.mails)} EXISTS")
        self.tell(f"* OK [UIDVALIDITY {self.server.uidvalidity}] valid")
        return "OK [READ-WRITE] selected"

    @property
    def mails(self) -> list[Mail]:
        return self.server.folders[self.folder]

    def _search(self, more: str) -> str:
        least = int(re.search(r"UID (\d+):\*", more)[1])  # type: ignore[index]
        last = max((mail.uid for mail in self.mails), default=0)
        found = [str(mail.uid) for mail in self.mails if mail.uid >= least or mail.uid == last]
        self.tell(" ".join(["* SEARCH", *found]))
        return "OK done"

    def _fetch(self, more: str) -> str | None:
        if self.server.cut_after is not None:
            self.server.cut_after -= 1
            if self.server.cut_after < 0:
                self.server.cut_after = None
                return None
        uid, _, what = more.partition(" ")
        for at, mail in enumerate(self.mails, 1):
            if mail.uid != int(uid):
                continue
            if "RFC822.SIZE" in what:
                self.tell(f"* {at} FETCH (UID {uid} RFC822.SIZE {len(mail.data)})")
            else:
                head = f"* {at} FETCH (UID {uid} BODY[]<0> {{{len(mail.data)}}}\r\n"
                self.writing.write(head.encode() + mail.data + b")\r\n")
        return "OK done"

    def _named(self, uids: str) -> list[Mail]:
        return [mail for mail in self.mails if mail.uid in map(int, uids.split(","))]

    def _store(self, more: str) -> str:
        uids, _, flags = more.partition(" ")
        for mail in self._named(uids):
            mail.flags |= set(re.findall(r"\\\w+", flags))
        return "OK done"

    def _copy(self, more: str) -> str:
        uids, _, folder = more.partition(" ")
        if folder.strip('"') not in self.server.folders:
            return "NO [TRYCREATE] no such mailbox"
        for mail in self._named(uids):
            self.server.deliver(folder.strip('"'), mail.data)
        return "OK done"

    def _move(self, more: str) -> str:
        answer = self._copy(more)
        if answer.startswith("OK"):
            gone = {mail.uid for mail in self._named(more.split()[0])}
            self.mails[:] = [mail for mail in self.mails if mail.uid not in gone]
        return answer

    def _expunge(self, more: str) -> str:
        gone = {mail.uid for mail in self._named(more) if r"\Deleted" in mail.flags}
        self.mails[:] = [mail for mail in self.mails if mail.uid not in gone]
        return "OK done"

    def _logout(self, _: str) -> str:
        self.tell("* BYE")
        return "OK bye"
