"""The mail, text-message and voice part of channels.yaml: what the guide shows is well, what is wrong is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.channels import build_all
from connectors.channels.gateway import Gateway
from connectors.channels.mail import Mail
from playbooks.problem import errors
from playbooks.site import Site, load_site, survey

GUIDE = Path(__file__).parents[2] / "docs" / "邮件短信.md"
SHOWN = re.compile(r"```yaml\n# (\w+)\.yaml\n(.*?)```", re.S)


def guide() -> dict[str, str]:
    """File → what the guide writes into it, its parts joined."""
    files: dict[str, str] = {}
    for name, text in SHOWN.findall(GUIDE.read_text(encoding="utf-8")):
        files[name] = files[name] + text.removeprefix("channels:\n") if name in files else text
    return files


def written(directory: Path, old: str = "", new: str = "") -> Path:
    files = guide()
    assert any(old in text for text in files.values())
    for name, text in files.items():
        (directory / f"{name}.yaml").write_text(text.replace(old, new) if old else text, encoding="utf-8")
    return directory


def wrong(directory: Path, old: str, new: str) -> list[str]:
    return [str(one) for one in errors(survey(written(directory, old, new), None)[1])]


def loaded(directory: Path) -> Site:
    names = set(re.findall(r"\$\{(\w+)\}", "".join(guide().values())))
    return load_site(written(directory), dict.fromkeys(names, "rehearsal"))


def test_everything_that_the_guide_shows_is_sound_and_becomes_a_channel(tmp_path: Path) -> None:
    site = loaded(tmp_path)
    made = build_all(site.channels, site.secrets)
    kinds = {name: type(channel) for name, channel in made.items()}
    assert kinds == {"mail": Mail, "sms": Gateway, "call": Gateway, "gateway": Gateway}
    for channel in made.values():
        channel.close()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("    host: smtp.example.gov.cn\n", "", "mail 渠道缺少 host"),
        ('    password: "${HUIYING_MAIL_PASSWORD}"', "    port: 587", "没有密码"),
        ("    sender:", "    tls: none\n    sender:", "密码不能明文"),
        ("chen@example.gov.cn}", "chen}", "不是一个邮箱地址"),
        ('channel: sms, address: "13800000000"', "channel: sms, address: chen", "不是电话号码"),
        ("    sign_name: 临江市政府\n", "", "sms 渠道缺少 sign_name"),
        ('    app_id: "1400006666"\n', "", "voice 渠道缺少 app_id"),
        ('    success: {path: code, equals: ["0"]}\n', "", "sms 渠道缺少 success"),
        ("    profile: aliyun\n", "", "sms 渠道缺少 profile"),
        ('{grade: "{grade}"', '{grade: "{level}"', "没有 “{level}” 这个词"),
        ('{grade: "{grade}"', '{grade: "{link}"', "不能有网址"),
        ('mobile: "{phone}"', 'mobile: "{tel}"', "没有 “{tel}” 这个词"),
        ('    secret: "${HUIYING_SMS_TOKEN}"', "    secret: plain", "不能直接写在文件里"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    told = wrong(tmp_path, old, new)
    assert any(words in one for one in told), told
