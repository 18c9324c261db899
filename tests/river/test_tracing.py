"""The story of an incident as a trace: told to a real OTLP receiver, whole, once, and without anybody's data."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from connectors.otlp import Collector, Unwanted, missing, post
from connectors.ports import ConnectorError
from flows.deliver import deliver
from flows.office.desk import Desk
from flows.office.doctor import examine
from flows.respond import respond
from flows.telling.tracing import Teller, behind
from flows.wiring import House
from models.core.moment import iso
from models.core.signals import Batch, RawSignal
from models.core.text import fingerprint
from models.core.traces import span_id, trace_id
from models.core.vocabulary import Medium
from models.ledger.signals import collect
from models.ledger.store import LedgerError, Store
from support.receiver import Answer, Receiver
from support.sites import ENVIRON, write_site

PRIVATE = ("13800138000", "王小明", "望江路", "陈值班", "chen")
"""A caller's number and name, the words of a title, who is on duty: none of it is a collector's business."""


@dataclass(frozen=True)
class Told:
    """A span as it arrived."""

    name: str
    trace: int
    id: int
    parent: int
    began: int
    ended: int
    said: dict[str, Any]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
def house(tmp_path: Path, receiver: Receiver, database_url: str) -> Iterator[House]:
    tracing = {
        "endpoint": f"{receiver.url}/v1/traces",
        "headers": {"Authorization": "Bearer ${HUIYING_HOOK_SECRET}"},
    }
    directory = write_site(tmp_path / "site", receiver.url, database=database_url, site={"tracing": tracing})
    with House.open(directory, ENVIRON) as opened:
        step(opened)  # told from now on
        yield opened


def spans(receiver: Receiver) -> list[Told]:
    """Everything that has arrived, in order."""
    found = []
    for request in receiver.requests:
        if request.path == "/v1/traces":
            assert request.headers["content-type"] == "application/x-protobuf"
            body = gzip.decompress(request.body) if request.headers.get("content-encoding") else request.body
            found += list(_read(body))
    return found


def _read(body: bytes) -> Iterator[Told]:
    said = ExportTraceServiceRequest.FromString(body)
    for resource in said.resource_spans:
        assert {"service.name", "service.version"} <= {one.key for one in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                attributes = {
                    one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes
                }
                trace, own, parent = map(int.from_bytes, (span.trace_id, span.span_id, span.parent_span_id))
                began, ended = span.start_time_unix_nano, span.end_time_unix_nano
                yield Told(span.name, trace, own, parent, began, ended, attributes)


def open_one(house: House, title: str = "望江路塌陷") -> str:
    began = iso(house.time.now() - timedelta(minutes=5))
    about = {"title": title, "grade": "II", "discovered_at": began, "reason": "来电 13800138000 王小明"}
    return str(Desk(house).act("open", "", about, "chen")["id"])


def live(house: House) -> str:
    """From its opening, over an alert that a channel took, to its end."""
    incident = open_one(house)
    respond(house)
    deliver(house)
    desk = Desk(house)
    desk.act("ack", incident, {}, "chen")
    desk.act("stop", incident, {"kind": "published_statement", "url": "https://example.gov.cn/1"}, "li")
    shown = desk.incident(incident)
    assert shown is not None
    for clock in [clock["id"] for clock in shown["clocks"] if clock["ended_at"] is None]:
        desk.act("waive", incident, {"clock": clock, "reason": "并入总报告"}, "zhou")
    desk.work.act("drop", incident, {"task": "all", "reason": "已由省级统一通报、发声"}, "li")
    desk.act("close", incident, {"reason": "善后完成"}, "li")
    return incident


def step(house: House) -> int:
    """One round over a line of its own."""
    teller = Teller(house)
    try:
        return teller.step()
    finally:
        teller.let_go()


def tell_all(house: House) -> None:
    while step(house):
        pass


def test_an_incident_is_one_trace_from_its_opening_to_its_end(house: House, receiver: Receiver) -> None:
    incident = live(house)
    tell_all(house)
    found = spans(receiver)
    assert {span.trace for span in found} == {trace_id(house.site.name, incident)}
    names = {span.name for span in found}
    assert {"incident opened", "step raised", "alert accepted", "acknowledged", "evidence added"} <= names
    assert {"clock ended", "incident closed"} <= names
    root = next(span for span in found if span.name == "incident opened")
    assert (root.parent, root.id) == (0, span_id(house.site.name, incident, "incident"))
    assert (root.ended - root.began) / 1e9 == pytest.approx(300, abs=30)
    ids = {span.id for span in found}
    assert all(span.parent in ids for span in found if span is not root)
    assert all(span.began <= span.ended for span in found)
    assert {span.said["incident.id"] for span in found} == {incident}
    assert len(ids) == len(found)


def test_an_alert_hangs_on_its_step_and_took_as_long_as_the_ledger_says(
    house: House, receiver: Receiver
) -> None:
    live(house)
    tell_all(house)
    found = spans(receiver)
    steps = {span.id: span for span in found if span.name == "step raised"}
    alerts = [span for span in found if span.name == "alert accepted"]
    assert alerts
    for alert in alerts:
        step = steps[alert.parent]
        assert alert.began == step.ended
        assert alert.said["alert.channel"] == "hook"
        assert alert.said["alert.rung"] >= 1
        assert step.said["step.late_s"] >= 0
        assert step.said["clock.rule"]


def test_a_signal_stands_in_the_trace_of_the_incident_that_it_opened(
    house: House, receiver: Receiver
) -> None:
    from flows.triage import triage

    text = "临江市化工厂爆炸，已致3人死亡，现场浓烟滚滚，请速来救援，联系人王小明13800138000"
    seen = house.time.now()
    with house.store.write() as conn:
        signal = RawSignal("hotline", "a1", Medium.HOTLINE, "化工厂爆炸", text, published_at=seen)
        collect(conn, seen, Batch((signal,)), "hotline", fingerprint)
    triage(house)
    tell_all(house)
    found = spans(receiver)
    (signal_span,) = [span for span in found if span.name == "signal judged"]
    opened = next(span for span in found if span.name == "incident opened")
    assert (signal_span.trace, signal_span.parent) == (opened.trace, opened.id)
    assert datetime.fromtimestamp(signal_span.began / 1e9, seen.tzinfo) == seen
    assert signal_span.said["signal.medium"] == "hotline"


def test_nobodys_name_number_or_words_leave_the_house(house: House, receiver: Receiver) -> None:
    live(house)
    tell_all(house)
    told = json.dumps([[span.name, span.said] for span in spans(receiver)], ensure_ascii=False)
    assert [word for word in PRIVATE if word in told] == []
    (key,) = {
        request.headers["authorization"] for request in receiver.requests if request.path == "/v1/traces"
    }
    assert key == f"Bearer {ENVIRON['HUIYING_HOOK_SECRET']}"


class Forgetful:
    """A database that answers questions and dies at its second write."""

    def __init__(self, behind: Store) -> None:
        self.behind, self.left = behind, 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)

    def write(self) -> Any:
        self.left -= 1
        return self.behind.write() if self.left >= 0 else _dead()


def _dead() -> NoReturn:
    raise LedgerError("数据库没有应答")


def test_a_death_before_the_mark_tells_the_same_spans_under_the_same_numbers(
    house: House, receiver: Receiver
) -> None:
    live(house)
    with pytest.raises(LedgerError):
        step(replace(house, store=Forgetful(house.store)))  # type: ignore[arg-type]
    first = spans(receiver)
    assert first
    receiver.requests.clear()
    tell_all(house)
    again = spans(receiver)
    assert again[: len(first)] == first
    with house.store.read() as conn:
        assert behind(conn) == 0


def test_a_collector_that_is_away_is_told_later_and_one_that_refuses_holds_nothing_up(
    house: House, receiver: Receiver
) -> None:
    live(house)
    receiver.then(Answer(status=503))
    with pytest.raises(ConnectorError, match="503"):
        step(house)
    receiver.requests.clear()
    receiver.then(Answer(status=400))
    tell_all(house)
    with house.store.read() as conn:
        assert behind(conn) == 0
    receiver.requests.clear()
    other = open_one(house, "另一起")
    tell_all(house)
    assert {span.said["incident.id"] for span in spans(receiver)} == {other}


def test_what_a_collector_will_never_take_is_told_apart_from_one_that_is_away(receiver: Receiver) -> None:
    import httpx2

    from models.core.moment import CST
    from models.core.traces import TraceSpan

    now = datetime(2026, 11, 21, tzinfo=CST)
    span = TraceSpan("inc-1", "incident", "incident opened", now, now, "")
    with httpx2.Client() as client:
        receiver.then(Answer(status=400))
        with pytest.raises(Unwanted):
            post(client, Collector(f"{receiver.url}/v1/traces", "x", "1"), [span])
        with pytest.raises(ConnectorError, match="没有应答"):
            post(client, Collector("http://127.0.0.1:9/v1/traces", "x", "1", timeout_s=2), [span])


WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
from connectors.otlp import missing
import flows.office.doctor, flows.processes.loop
print(missing())
"""


def test_without_the_packages_everything_else_runs_and_the_way_out_is_named() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=120)
    assert "huiying[tracing]" in done.stdout, done.stderr
    assert missing() is None


def test_doctor_looks_at_the_way_to_the_collector(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUIYING_HOOK_SECRET", ENVIRON["HUIYING_HOOK_SECRET"])
    found = {one["what"]: one for one in examine(house.site.directory)}
    assert found["追踪外送"]["ok"]
    monkeypatch.delenv("HUIYING_HOOK_SECRET")
    wrong = [one for one in examine(house.site.directory) if one["what"] == "追踪外送"]
    assert [one["ok"] for one in wrong] == [False]
