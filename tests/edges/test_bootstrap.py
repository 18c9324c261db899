"""The script behind `make run` and `make test`, met on a machine that lacks something."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "deploy" / "bootstrap.py"


def run_with(tmp_path: Path, hidden: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script on a copy of the project in which a module cannot be imported and PATH is bare."""
    (tmp_path / "deploy").mkdir()
    for name in ("deploy/bootstrap.py", "requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{hidden!r}] = None\n")
    return subprocess.run(
        [sys.executable, str(tmp_path / "deploy" / "bootstrap.py"), *arguments],
        env={"PYTHONPATH": str(tmp_path), "PATH": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_missing_venv_module_gets_the_one_line_that_mends_it(tmp_path: Path) -> None:
    done = run_with(tmp_path, "ensurepip", "run")
    assert done.returncode == 1
    assert "sudo apt-get install python3" in done.stderr
    assert "venv" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_make_is_named_with_its_remedy(tmp_path: Path) -> None:
    assert "sudo apt-get install make" in run_with(tmp_path, "ensurepip", "run").stderr


def test_an_unknown_command_lists_the_known_ones(tmp_path: Path) -> None:
    done = run_with(tmp_path, "ensurepip", "dance")
    assert done.returncode == 1
    assert "run, test, exec, install" in done.stderr


def test_the_locks_are_hashed_and_name_no_index() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        lines = (ROOT / name).read_text().splitlines()
        pins = [line for line in lines if "==" in line and not line.startswith(" ")]
        assert len(pins) > 100
        assert all("--hash=sha256:" in lines[lines.index(pin) + 1] for pin in pins)
        assert not any("://" in line or "--index" in line or "--find-links" in line for line in lines)
