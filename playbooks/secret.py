"""References to secrets: `${ENV_NAME}` and `file:path`. The values stay out of files and of repr."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from playbooks.loader import Document, KeyPath
from playbooks.problem import Problem

SECRET_KEYS = frozenset(
    {
        "secret", "token", "password", "sasl_plain_password", "ssl_password", "personal_key",
        "client_secret", "private_key", "totp_key", "robot", "encrypt_key", "signing_secret", "app_token",
    }
)  # fmt: skip
_ENV = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
MAX_SECRET = 65_536


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """Turns a reference into its secret when it is needed, not before.

    Raises LookupError that names the variable, or OSError and ValueError for a file. A text
    without a reference comes back as it is.
    """

    environ: Mapping[str, str]
    directory: Path

    def __call__(self, reference: str) -> str:
        if reference.startswith("file:"):
            return self._file(reference.removeprefix("file:"))
        return _ENV.sub(lambda match: self._variable(match[1]), reference)

    def _variable(self, name: str) -> str:
        value = self.environ.get(name)
        if not value:
            raise LookupError(f"环境变量 {name} 没有设置；export {name}=… 后再启动")
        return value

    def _file(self, name: str) -> str:
        with (self.directory / name).open("rb") as stream:
            raw = stream.read(MAX_SECRET + 1)
        if len(raw) > MAX_SECRET:
            raise ValueError(f"密钥文件 {name} 超过 {MAX_SECRET} 字节")
        return raw.decode("utf-8-sig").strip()

    def __repr__(self) -> str:
        return "Secrets(…)"


def is_reference(text: str) -> bool:
    return text.startswith("file:") or _ENV.fullmatch(text) is not None


def leaks(document: Document) -> list[Problem]:
    """Secrets that stand in the file itself. The message never repeats the value."""
    hint = '写成 "${变量名}" 或 file:路径，真正的值放在环境变量或文件里'
    return [
        document.problem(path, f"密钥 “{path[-1]}” 不能直接写在文件里", hint)
        for path, value in _leaves((), document.data)
        if path and path[-1] in SECRET_KEYS and value not in (None, "") and not is_reference(str(value))
    ]


def unset(document: Document, secrets: Secrets) -> list[Problem]:
    """References that lead nowhere: the variable or the file that is missing is named."""
    found: list[Problem] = []
    for path, value in _leaves((), document.data):
        if not isinstance(value, str):
            continue
        for name in _ENV.findall(value):
            if not secrets.environ.get(name):
                found.append(document.problem(path, f"环境变量 {name} 没有设置", f"export {name}=… 后再启动"))
        if path and path[-1] in SECRET_KEYS and value.startswith("file:"):
            found.extend(_unreadable(document, path, value, secrets))
    return found


def _unreadable(document: Document, path: KeyPath, value: str, secrets: Secrets) -> list[Problem]:
    try:
        if secrets(value):
            return []
        reason = "是空的"
    except (OSError, ValueError):
        reason = "读不出来"
    return [
        document.problem(
            path, f"密钥文件 {value.removeprefix('file:')} {reason}", "检查路径（相对站点目录）和权限"
        )
    ]


def _leaves(path: KeyPath, value: object) -> Iterator[tuple[KeyPath, object]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _leaves((*path, key), each)
    elif isinstance(value, list):
        for n, each in enumerate(value):
            yield from _leaves((*path, n), each)
    else:
        yield path, value
