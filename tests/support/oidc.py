"""npm's oidc-provider 9 run by node, and somebody who fills in its forms."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

from support.missing import missing

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".cache" / "oidc-provider"
SCRIPT = ROOT / "tests" / "edges" / "oidc" / "provider.mjs"
SECRET = "a secret of tests only"
_FORM = re.compile(r'action="([^"]+)"')
_PROMPT = re.compile(r'name="prompt" value="(\w+)"')
MOST_HOPS = 12


@contextmanager
def provider(people: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The issuer's address until the block ends; `people`: login → further claims."""
    node = shutil.which("node")
    if node is None or not (HOME / "node_modules" / "oidc-provider").is_dir():
        missing("没有 node 或 npm 的 oidc-provider 9；.ci/run 会装上")
    running = subprocess.Popen(
        [str(node), str(SCRIPT), json.dumps(people), str(HOME)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert running.stdout is not None
    try:
        yield f"http://127.0.0.1:{_port(running)}"
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


def _port(running: subprocess.Popen[str]) -> int:
    """The first line that is a number; before it the provider may say that it is for tests."""
    assert running.stdout is not None
    for line in running.stdout:
        if line.strip().isdigit():
            return int(line)
    raise AssertionError("the provider did not start")


def consent(address: str, login: str, home: str) -> str:
    """Sign in over there as `login` and agree; the address at `home` that the browser is sent back to."""
    with httpx.Client(timeout=60) as web:
        answer = web.get(address)
        for _ in range(MOST_HOPS):
            where = answer.headers.get("location")
            if where and where.startswith(home):
                return str(where)
            answer = web.get(urljoin(str(answer.url), where)) if where else _filled(web, answer, login)
    raise AssertionError(f"the provider did not come back: {answer.status_code} {answer.text[:500]}")


def _filled(web: httpx.Client, answer: httpx.Response, login: str) -> httpx.Response:
    form, prompt = _FORM.search(answer.text), _PROMPT.search(answer.text)
    assert form is not None, answer.text[:500]
    said = {"prompt": prompt[1] if prompt else "login", "login": login, "password": "any"}
    return web.post(urljoin(str(answer.url), form[1]), data=said)
