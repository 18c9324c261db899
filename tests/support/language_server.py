"""A real yaml-language-server over its standard input and output: what an author's editor would show.

Found through `HUIYING_YAML_LS`, on the PATH, or where `.ci/run` puts it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

HOME = Path(__file__).parents[2] / ".cache" / "yaml-language-server"
PATIENCE_S = 30.0
SETTINGS = {
    "yaml": {
        "validate": True,
        "hover": True,
        "completion": True,
        "schemaStore": {"enable": False, "url": ""},
        "kubernetesCRDStore": {"enable": False},
    },
    "http": {"proxy": "", "proxyStrictSSL": False},
    "[yaml]": {},
    "editor": {"tabSize": 2},
    "files": {"associations": {}},
}


def program() -> str | None:
    """The server's program, or None when it is not on this machine."""
    installed = HOME / "node_modules" / ".bin" / "yaml-language-server"
    named = os.environ.get("HUIYING_YAML_LS") or shutil.which("yaml-language-server")
    found = named or (str(installed) if installed.exists() else None)
    return found if found and shutil.which("node") else None


class Editor:
    """One open editor. Answers what the server asks of it, keeps what it publishes."""

    def __init__(self, server: subprocess.Popen[bytes]) -> None:
        assert server.stdin is not None
        assert server.stdout is not None
        self._in, self._out = server.stdin, server.stdout
        self._number = 0
        self._answers: Queue[dict[str, Any]] = Queue()
        self._findings: Queue[dict[str, Any]] = Queue()
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while headers := self._headers():
            message = json.loads(self._out.read(int(headers["content-length"])))
            if "method" in message and "id" in message:
                self._send({"id": message["id"], "result": self._asked(message)})
            elif message.get("method") == "textDocument/publishDiagnostics":
                self._findings.put(message["params"])
            elif "id" in message:
                self._answers.put(message)

    def _headers(self) -> dict[str, str]:
        found: dict[str, str] = {}
        while line := self._out.readline().decode().strip():
            name, _, value = line.partition(":")
            found[name.lower()] = value.strip()
        return found

    @staticmethod
    def _asked(message: dict[str, Any]) -> Any:
        if message["method"] == "workspace/configuration":
            return [SETTINGS.get(item.get("section", ""), {}) for item in message["params"]["items"]]
        return None

    def _send(self, body: dict[str, Any]) -> None:
        raw = json.dumps({"jsonrpc": "2.0", **body}).encode()
        self._in.write(f"Content-Length: {len(raw)}\r\n\r\n".encode() + raw)
        self._in.flush()

    def tell(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def ask(self, method: str, params: Any) -> Any:
        """The answer's result. Fails after PATIENCE_S, and on an error of the server."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while True:
            answer = self._answers.get(timeout=PATIENCE_S)
            if answer["id"] == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def open(self, file: Path, text: str) -> None:
        document = {"uri": file.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def findings(self, file: Path) -> list[dict[str, Any]]:
        """What the server finds wrong in `file`, once it has looked at it with the schema."""
        newest: list[dict[str, Any]] = []
        wait = PATIENCE_S
        while True:
            try:
                told = self._findings.get(timeout=wait)
            except Empty:
                return newest
            if told["uri"] == file.as_uri():
                newest, wait = told["diagnostics"], 1.5

    def at(self, method: str, file: Path, line: int, column: int) -> Any:
        """Completion or hover at a place, counted from 0 as editors' protocol does."""
        place = {"textDocument": {"uri": file.as_uri()}, "position": {"line": line, "character": column}}
        return self.ask(method, place)


@contextmanager
def editor(command: str, folder: Path) -> Iterator[Editor]:
    """A server for `folder`, initialised and ready; ended afterwards."""
    with subprocess.Popen(
        [command, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        try:
            made = Editor(server)
            made.ask("initialize", _abilities(folder))
            made.tell("initialized", {})
            made.tell("workspace/didChangeConfiguration", {"settings": SETTINGS})
            yield made
        finally:
            server.kill()


def _abilities(folder: Path) -> dict[str, Any]:
    formats = ["markdown", "plaintext"]
    document = {
        "completion": {"completionItem": {"documentationFormat": formats, "snippetSupport": True}},
        "hover": {"contentFormat": formats},
        "publishDiagnostics": {"relatedInformation": True},
    }
    return {
        "processId": os.getpid(),
        "rootUri": folder.as_uri(),
        "capabilities": {"textDocument": document, "workspace": {"configuration": True}},
        "workspaceFolders": [{"uri": folder.as_uri(), "name": "site"}],
    }
