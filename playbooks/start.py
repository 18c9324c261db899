"""`huiying init`: a commented site to start from, with the schemas for the editor beside it."""

from __future__ import annotations

from pathlib import Path

from playbooks.problem import Problem, Problems
from playbooks.schema_json import write_schemas

STARTER = Path(__file__).resolve().parent / "starter"


def write_starter(directory: Path) -> list[Path]:
    """Write the starter site into `directory` and name the files written.

    Nothing is overwritten: Problems names each file that is there already.
    """
    targets = {directory / template.name: template for template in sorted(STARTER.glob("*.yaml"))}
    there = [Problem(str(path), 1, 1, "已经有这个文件", "换一个空目录") for path in targets if path.exists()]
    if there:
        raise Problems(there)
    (directory / "playbooks").mkdir(parents=True, exist_ok=True)
    for path, template in targets.items():
        path.write_text(template.read_text(encoding="utf-8"), encoding="utf-8")
    return [*targets, *write_schemas(directory / "schema")]
