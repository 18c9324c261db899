"""The hook before a commit, in a real repository: what is ours is looked at whole, the rest is let through."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from playbooks.lint import lint
from playbooks.loader import load
from playbooks.mapping_paper import mapping_text
from playbooks.start import write_starter

ROOT = Path(__file__).resolve().parent.parent.parent
HOOK = load(ROOT / ".pre-commit-hooks.yaml").data[0]
FOREIGN = {
    "compose.yaml": "services: {web: {image: nginx}}\n",
    "charts/web.yaml": "kind: Deployment\nname: {{ .Values.name }}\n",
    "ansible/site.yml": "- hosts: all\n  tasks: []\n",
}
PLAYBOOK = """\
id: flood
name: 城市内涝
trigger: {when: 'event_type == "natural"'}
clocks:
  - id: flood_statement
    name: 内涝信息
    amount: PT2H
    start: discovery
    stop: {evidence: published_statement}
    proposal: 本市
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A fresh one with a starter site, what the program and people write beside it, and foreign files."""
    root = tmp_path / "repository"
    write_starter(root / "site")
    for name, text in {
        "site/mappings/hotline.yaml": mapping_text("热线", {"title": "标题"}, ["标题", "时间"]),
        "site/people.yaml": "people: {chen: 5}\n",
        "site/playbooks/flood.yaml": PLAYBOOK,
        "people.yaml": "people: {chen: PT5M}\n",
        **FOREIGN,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    run(root, "git", "init", "-q", "-b", "main")
    install(root)
    return root


def install(root: Path) -> None:
    """The committed hook, run on the changed files that it asks for."""
    words = str(HOOK["entry"]).replace("huiying", f"{sys.executable} -m flows.cli", 1)
    chosen = "git diff --cached --name-only --diff-filter=ACMR -z | grep -zE '\\.ya?ml$' | grep -zvE '^\\.'"
    hook = root / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{chosen} | xargs -0 {words}\n", encoding="utf-8")
    hook.chmod(0o755)


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "PYTHONPATH": str(ROOT)}
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | own
    return subprocess.run(words, cwd=root, env=environ, capture_output=True, text=True, check=False)


def commit(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    run(root, "git", "add", "-A")
    who = ("-c", "user.name=t", "-c", "user.email=t@example.cn")
    return run(root, "git", *who, "commit", "-q", "-m", "change", *options)


def test_a_site_with_all_that_lies_beside_it_is_let_through(repository: Path) -> None:
    done = commit(repository)
    assert done.returncode == 0, done.stdout + done.stderr
    assert run(repository, "git", "log", "--format=%s").stdout == "change\n"


@pytest.mark.parametrize(
    ("file", "right", "wrong", "words"),
    [
        ("site/site.yaml", "profile: cn-national", "profile: bogus", "没有参数集 “bogus”"),
        ("site/channels.yaml", "id: screen", "id: bildschirm", "“screen”"),
        ("site/mappings/hotline.yaml", "标题", "题目", "表头里没有列 “题目”"),
        ("site/playbooks/flood.yaml", "amount: PT2H", "amount: 2小时", "不是时长"),
        ("site/people.yaml", "chen: 5", "chen: bald", "不是签收快慢"),
    ],
)
def test_a_slip_is_stopped_though_only_its_own_file_is_committed(
    repository: Path, file: str, right: str, wrong: str, words: str
) -> None:
    assert commit(repository, "--no-verify").returncode == 0
    path = repository / file
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    done = commit(repository)
    assert done.returncode != 0
    assert words in done.stderr
    assert run(repository, "git", "log", "--format=%s").stdout == "change\n"


def test_a_playbook_outside_any_site_is_looked_at_and_not_let_through_with_a_slip(tmp_path: Path) -> None:
    own = tmp_path / "flood.yaml"
    own.write_text(PLAYBOOK.replace("PT2H", "2小时"), encoding="utf-8")
    assert len(lint([own], skip_foreign=True)) == 1


def test_without_the_hook_a_foreign_file_is_still_refused(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(FOREIGN["compose.yaml"], encoding="utf-8")
    assert lint([tmp_path / "compose.yaml"])
    assert lint([tmp_path / "compose.yaml"], skip_foreign=True) == []


def test_a_site_is_looked_at_once_however_many_of_its_files_are_named(tmp_path: Path) -> None:
    write_starter(tmp_path)
    (tmp_path / "site.yaml").write_text("name: 临江\nprofile: bogus\n", encoding="utf-8")
    files = [tmp_path / name for name in ("site.yaml", "channels.yaml", "roster.yaml")]
    assert [each.message for each in lint(files) if not each.warning] == ["没有参数集 “bogus”"]
