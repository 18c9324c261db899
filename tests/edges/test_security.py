"""The console attacked over real HTTP: forged requests, strange paths, files, heads and bodies."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import socket
import urllib.parse
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

import pytest

from flows.office.desk import Desk
from flows.wiring import House
from support.console import served
from support.sites import ENVIRON, write_site

FORM = "application/x-www-form-urlencoded"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40 + b"\0\0\0\0IEND\xaeB`\x82"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass
class Target:
    """A served desk, its one incident, and how to speak to it byte for byte."""

    house: House
    address: str
    incident: str
    cookie: dict[str, str] = field(default_factory=lambda: {"Cookie": "huiying_person=chen"})

    @property
    def host(self) -> str:
        return self.address.removeprefix("http://")

    @property
    def port(self) -> int:
        return int(self.host.rpartition(":")[2])

    def ask(self, method: str, path: str, body: bytes | str | None = None, **headers: str) -> Answer:
        line = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            line.request(
                method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
            )
            said = line.getresponse()
            return Answer(said.status, {k.lower(): v for k, v in said.getheaders()}, said.read())
        finally:
            line.close()

    def raw(self, sent: bytes) -> bytes:
        """Everything that comes back to these very bytes, until the server hangs up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as line:
            try:
                line.sendall(sent)
                line.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: line.recv(65536), b""))
            except OSError:  # it hung up in the middle of ours: as good as a no
                return b""

    def entries(self) -> int:
        return int(Desk(self.house).revision())


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    directory = write_site(tmp_path_factory.mktemp("target") / "site", "http://127.0.0.1:9")
    with House.open(directory, ENVIRON) as house:
        incident = str(Desk(house).act("open", "", {"title": "望江路塌陷", "grade": "II"}, "chen")["id"])
        with served(Desk(house)) as address:
            yield Target(house, address, incident)


# ── forged requests ──


@pytest.mark.parametrize(
    "head",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:1"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Sec-Fetch-Site": "SAME-ORIGIN "},
        {"Sec-Fetch-Site": ""},
    ],
)
@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/incidents/{}/acts/ack", "view=board", FORM),
        ("/incidents/{}/acts/close", "reason=x", "text/plain"),
        ("/api/v1/incidents/{}/acts/ack", '{"by": "chen"}', "application/json"),
        ("/api/v1/incidents/{}/acts/ack", '{"by": "chen"}', "text/plain"),
        ("/audit/export", "form=csv", FORM),
        ("/me", "person=li", FORM),
    ],
)
def test_another_sites_page_can_make_nobody_act(
    target: Target, head: dict[str, str], path: str, body: str, kind: str
) -> None:
    before = target.entries()
    answer = target.ask(
        "POST", path.format(target.incident), body, Content_Type=kind, **head, **target.cookie
    )
    assert answer.status == 403, answer.text
    assert target.entries() == before
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "head", [{}, {"X-HTTP-Method-Override": "POST"}, {"X-Method-Override": "POST"}, {"X-HTTP-Method": "POST"}]
)
def test_reading_never_acts_whatever_the_request_pretends(
    target: Target, method: str, head: dict[str, str]
) -> None:
    before = target.entries()
    for path in (
        f"/incidents/{target.incident}/acts/ack",
        "/audit/export?form=csv",
        "/incidents?_method=POST",
    ):
        assert target.ask(method, path, **head, **target.cookie).status in (404, 405)
    assert target.entries() == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "XYZ"])
def test_methods_that_nothing_needs_are_refused(target: Target, method: str) -> None:
    answer = target.ask(method, "/incidents", **target.cookie)
    assert answer.status in (400, 403, 404, 405)
    assert "huiying_person" not in answer.text


def test_the_cookie_goes_to_nobody_else_and_no_script_reads_it(target: Target) -> None:
    said = target.ask("POST", "/me", "person=chen&back=/mine", Content_Type=FORM)
    told = said.headers["set-cookie"].lower()
    assert said.headers["location"] == "/mine"
    assert "httponly" in told
    assert "samesite=strict" in told


# ── where it leads ──


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "\\\\evil.example",
        "/%09/evil.example",
        " //evil.example",
        "///evil.example",
        "/\r\nSet-Cookie: a=b",
        "http:evil.example",
        "/.//evil.example/..",
        "//evil.example@127.0.0.1",
        "data:text/html,x",
        "/\u2028/evil.example",
    ],
)
def test_no_way_back_leads_to_another_site(target: Target, back: str) -> None:
    body = urllib.parse.urlencode({"person": "chen", "back": back})
    answer = target.ask("POST", "/me", body, Content_Type=FORM)
    led = urllib.parse.urljoin(f"{target.address}/me", answer.headers["location"])
    assert urllib.parse.urlsplit(led).netloc == target.host, led
    assert "a" not in answer.headers.get("set-cookie", "").partition("=")[0]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1@evil.example", "xn--evil.example"]
)
def test_a_name_that_is_not_ours_is_not_served(target: Target, host: str) -> None:
    """A page elsewhere whose name was made to point at us (DNS rebinding) reads and does nothing."""
    before = target.entries()
    for method, path, body in (
        ("GET", "/", None),
        ("GET", "/api/v1/board", None),
        ("POST", f"/api/v1/incidents/{target.incident}/acts/ack", '{"by": "chen"}'),
    ):
        answer = target.ask(method, path, body, Host=host, Content_Type="application/json")
        assert answer.status in (400, 421), answer.text
        assert "望江路" not in answer.text
        assert "evil" not in json.dumps(dict(answer.headers))
    assert target.entries() == before


# ── strange paths ──


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../../etc/passwd",
        "/static/%2e%2e/%2e%2e/app.py",
        "/static/..%2f..%2fapp.py",
        "/static/....//app.py",
        "/static/..%5c..%5capp.py",
        "/static/%00",
        "/static/huiying.css%00.png",
        "/static/%c0%ae%c0%ae/app.py",
        "/static//etc/passwd",
        "/static/vendor/../../app.py",
        "/static/%252e%252e/app.py",
        "/api/v1/snapshots/..%2f..%2fsite.yaml",
        "/api/v1/snapshots/%00",
        "/api/v1/snapshots/" + "0" * 64,
        "/api/v1/dossiers/..%2f..%2fsite.yaml",
        "/playbooks/..%2f..%2fsite",
        "/playbooks/%2e%2e%2fsite.yaml",
        "/playbooks/major_emergency%00",
        "/api/v1/playbooks/..%2f..%2froster",
        "/statements/..%2fx/package",
        "/reports/file?kind=..%2f..%2fsite&form=yaml",
        "/reports/file?kind=special&form=..%2f..%2fx&incident=1",
        "/api/v1/reports/..%2f..%2fsite/file",
        "/deadletters?source=..%2f..%2fsite.yaml",
        "/incidents/..%2f..%2fsite.yaml",
        "/incidents/%ed%a0%80",
        "/mine/%00",
        "/api/v1/mine/%00",
        "/registers/%00",
        "/incidents/%00/mood",
        "/api/v1/audit?text=%00",
        "/api/v1/incidents?before=%00",
        "/audit?text=%ed%a0%80&actor=%00&kind=%00",
    ],
)
def test_no_path_leads_out_of_what_is_ours_or_breaks_anything(target: Target, path: str) -> None:
    answer = target.ask("GET", path)
    assert answer.status < 500, answer.text
    for secret in (
        "root:x:",
        "allow_hosts",
        "from fastapi",
        "SQLite format",
        "on_duty",
        "HUIYING_HOOK_SECRET",
    ):
        assert secret not in answer.text


# ── files that are handed in ──


def handed_in(target: Target, name: str, content: bytes, **fields: str) -> Answer:
    edge = "----huiying"
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()
    ]
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = "".join([*parts, head]).encode() + content + f"\r\n--{edge}--\r\n".encode()
    kind = f"multipart/form-data; boundary={edge}"
    return target.ask("POST", f"/api/v1/incidents/{target.incident}/evidence", body, Content_Type=kind)


def squeezed(size: int) -> bytes:
    """A Word file of a few kilobytes that unpacks to `size` bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as into:
        into.writestr("[Content_Types].xml", "<x/>")
        into.writestr("word/document.xml", b"\0" * size)
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.svg", SVG),
        ("a.png", SVG),
        ("a.png", PNG + b"<script>alert(1)</script>"),
        ("a.html", PNG),
        ("a.txt", b"<script>alert(1)</script>"),
        ("a.exe", b"MZ" + b"\0" * 90),
        ("a.pdf", b"%PDF-1.7\n/OpenAction<</S/JavaScript/JS(app.alert(1))>>\n%%EOF\n"),
        ("big.txt", b"a" * (10 * 1024 * 1024 + 1)),
    ],
)
def test_a_file_that_is_not_what_it_says_is_not_kept(target: Target, name: str, content: bytes) -> None:
    before = target.entries()
    answer = handed_in(target, name, content, by="chen", kind="published_update")
    assert answer.status in (409, 413), answer.text
    assert target.entries() == before


def test_a_file_that_would_swell_is_kept_or_refused_but_never_unpacked(target: Target) -> None:
    answer = handed_in(target, "a.docx", squeezed(60_000_000), by="chen", kind="published_update")
    assert answer.status in (200, 409), answer.text


@pytest.mark.parametrize(
    "name",
    [
        "../../../tmp/x.png",
        "..\\..\\x.png",
        "a\u202egnp.exe.png",
        "a%0d%0aX-Evil%3A 1.png",
        "x" * 4000 + ".png",
    ],
)
def test_what_was_handed_in_comes_back_as_a_download_under_a_plain_name(target: Target, name: str) -> None:
    picture = PNG.replace(b"\0" * 8, hashlib.sha256(name.encode()).digest()[:8], 1)
    answer = handed_in(target, name, picture, by="chen", kind="published_update")
    assert answer.status == 200, answer.text
    kept = json.loads(answer.body)["evidence"][-1]
    assert not any(sign in json.dumps(kept, ensure_ascii=False) for sign in ("..", "\u202e", "\\r", "/tmp"))
    given = target.ask("GET", f"/api/v1/snapshots/{kept['sha256']}")
    assert given.body == picture
    assert given.headers["content-disposition"].startswith("attachment;")
    assert given.headers["x-content-type-options"] == "nosniff"
    assert "x-evil" not in given.headers


# ── what every answer says of itself ──


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/audit",
        "/incidents/none",
        "/api/v1/board",
        "/api/v1/people",
        "/api/v1/none",
        "/api/openapi.json",
        "/api/docs",
        "/static/huiying.css",
        "/static/none",
        "/readyz",
        "/metrics",
        "/fragments/board",
        "/hooks/tickets/none",
        "/login",
    ],
)
def test_every_answer_forbids_what_it_does_not_need(target: Target, path: str) -> None:
    answer = target.ask("GET", path, Origin="http://evil.example")
    csp = answer.headers["content-security-policy"]
    assert "default-src 'self'" in csp
    assert "frame-ancestors 'none'" in csp
    assert "script-src" not in csp or "unsafe" not in csp.partition("script-src")[2].partition(";")[0]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin", (
        "no page elsewhere loads it as a script"
    )
    assert "access-control-allow-origin" not in answer.headers
    assert "server" not in answer.headers
    if path.startswith("/api/v1"):
        assert answer.headers["content-type"].startswith("application/json")


def test_a_callback_is_not_called(target: Target) -> None:
    answer = target.ask("GET", "/api/v1/people?callback=alert&jsonp=alert")
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body)


# ── heads ──


@pytest.mark.parametrize(
    "path",
    [
        "/tasks?said=a%0d%0aX-Evil:%201",
        "/deadletters/1?said=%0d%0aX-Evil:1",
        "/reports/file?kind=special&form=docx&incident=%0d%0aX-Evil:1",
        "/audit?kind=%0d%0aX-Evil:1",
        "/api/v1/snapshots/%0d%0aX-Evil:1",
    ],
)
def test_no_words_become_a_header(target: Target, path: str) -> None:
    assert "x-evil" not in target.ask("GET", path).headers


def test_no_words_of_a_form_become_a_header(target: Target) -> None:
    words = {
        "form": "csv",
        "text": "x\r\nX-Evil: 1",
        "reason": "x\r\nX-Evil: 1",
        "kind": 'a"; filename=evil.exe',
    }
    answer = target.ask(
        "POST", "/audit/export", urllib.parse.urlencode(words), Content_Type=FORM, **target.cookie
    )
    assert answer.status == 200
    assert "x-evil" not in answer.headers
    assert "evil.exe" not in answer.headers["content-disposition"]


# ── bodies ──


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /incidents HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\nabcde",
        b"POST /incidents HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /incidents HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST /incidents HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: +5\r\n\r\nabcde",
        b"POST /incidents HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /incidents HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX : a\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_a_request_with_two_ends_is_not_two_requests(target: Target, sent: bytes) -> None:
    before = target.entries()
    smuggled = f"POST /api/v1/incidents/{target.incident}/acts/ack HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()
    smuggled += b'Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{"by":"chen"}'
    answer = target.raw(sent + (smuggled if b"POST" in sent else b""))
    first = answer.partition(b"\r\n")[0]
    assert not first or first.split()[1][:1] in (b"4",), first
    assert target.entries() == before, "what hid behind it was done"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[" * 60_000, "application/json"),
        (b'{"a":' * 12_000, "application/json"),
        (b'{"title": ' + b"9" * 60_000 + b"}", "application/json"),
        (b'{"title": "\xff\xfe"}', "application/json"),
        (b'{"by": "chen", "title": "\\ud800", "grade": "II"}', "application/json"),
        (b'{"by": "chen", "title": "\\u0000", "grade": "\\u0000"}', "application/json"),
        (b'{"by": "\\ud800"}', "application/json"),
        (b'{"by": null}', "application/json"),
        (b"", "application/json"),
        (b"&".join(b"a%d=b" % n for n in range(5000)), FORM),
        (b"title=%ff%fe%00", FORM),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n' * 900 + b"--x--",
            "multipart/form-data; boundary=x",
        ),
        (b"--x\r\n" * 9000, "multipart/form-data; boundary=x"),
        (b"nothing like it", "multipart/form-data"),
        (b"--" + b"x" * 60_000, "multipart/form-data; boundary=" + "x" * 9000),
    ],
)
@pytest.mark.parametrize(
    "path", ["/api/v1/incidents", "/incidents", "/api/v1/incidents/{}/evidence", "/audit/export", "/me"]
)
def test_a_body_made_to_break_the_reader_is_refused(
    target: Target, path: str, body: bytes, kind: str
) -> None:
    answer = target.ask("POST", path.format(target.incident), body, Content_Type=kind, **target.cookie)
    assert answer.status < 500, answer.text
    assert "Traceback" not in answer.text


def test_strange_cookies_and_heads_break_no_page(target: Target) -> None:
    for value in ("%ff%fe", "%00", "%ED%A0%80", "a" * 3000, '"; Path=/', "=;=;=", "\xff"):
        assert target.ask("GET", "/mine", Cookie=f"huiying_person={value}; huiying_lang={value}").status < 500
    for name, value in (
        ("Last-Event-ID", "9" * 40),
        ("HX-Request", "\xff"),
        ("Accept-Encoding", "gzip;q=9"),
        ("Range", "bytes=0-,0-,0-"),
    ):
        assert target.ask("GET", "/static/huiying.css", **{name: value}).status < 500


def test_a_hundred_who_never_finish_their_request_hold_up_nobody(target: Target) -> None:
    head = b"POST /incidents HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\nContent-Type: "
    with ExitStack() as lines:
        for _ in range(100):
            line = lines.enter_context(socket.create_connection(("127.0.0.1", target.port), timeout=60))
            line.sendall(head + FORM.encode() + b"\r\n\r\ntitle=a")
        assert target.ask("GET", "/").status == 200
        assert target.ask("GET", "/api/v1/board").status == 200


# ── what leaves ──


def test_no_cell_that_leaves_computes(target: Target) -> None:
    desk = Desk(target.house)
    for sign in ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "＝1"):
        desk.act("update", target.incident, {"text": f"{sign}|cmd"}, "chen")
        desk.registers.act("add", "", {"kind": "training", "title": f"{sign}|cmd", "unit": "office"}, "li")
    files = (
        target.ask("POST", "/audit/export", "form=csv", Content_Type=FORM, **target.cookie),
        target.ask("GET", "/api/v1/reports/registers/file?form=csv&period=2026"),
    )
    for answer in files:
        assert answer.status == 200, answer.text
        cells = [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row]
        assert any("cmd" in cell for cell in cells)
        assert not [cell for cell in cells if cell[:1] in "=+-@\t\r＝＋－＠" and cell and "cmd" in cell]


def test_a_secret_of_the_site_is_nowhere_to_be_read(target: Target) -> None:
    secret = ENVIRON["HUIYING_HOOK_SECRET"]
    paths = (
        "/",
        "/roster",
        "/sources",
        "/audit",
        "/metrics",
        "/readyz",
        "/api/v1/board",
        "/api/v1/coverage",
        "/api/openapi.json",
    )
    said: list[Any] = [target.ask("GET", path).text for path in paths]
    assert not [path for path, text in zip(paths, said, strict=True) if secret in text]
