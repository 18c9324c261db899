"""Addresses that nobody can be called by are said while the files are read; the guide's examples are sound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from playbooks.lint import lint
from playbooks.problem import errors
from playbooks.site import survey

GUIDE = Path(__file__).parents[2] / "docs" / "聊天渠道.md"
SITE = "name: 临江市政府办公室\n"
ROBOTS = """\
channels:
  - {id: ding, type: dingtalk, robot: "${HUIYING_DINGTALK_ROBOT}"}
  - {id: lark, type: feishu, robot: "${HUIYING_FEISHU_ROBOT}"}
"""
ROSTER = """\
units:
  - {id: office, name: 办公室}
people:
  - {id: chen, name: 陈值班, unit: office, contacts: [{channel: ding, address: "ADDRESS"}]}
ladder:
  - {rung: 1, role: duty_officer, on_duty: [chen]}
"""


def site(directory: Path, roster: str, channels: str = ROBOTS, own: str = SITE) -> list[str]:
    """Everything that is wrong with such a site."""
    for name, text in (("site", own), ("channels", channels), ("roster", roster)):
        (directory / f"{name}.yaml").write_text(text, encoding="utf-8")
    found = errors(survey(directory, None)[1])
    return [str(each).removeprefix(f"{directory.resolve()}/") for each in found]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("13800000000", '手机号前少了 @  → 写成 "@13800000000"'),
        ("@all", "地址不能是所有人"),
        ("chen", "@ 不到人"),
    ],
)
def test_an_address_that_calls_nobody_is_told_at_its_place(
    address: str, expected: str, tmp_path: Path
) -> None:
    (told,) = site(tmp_path, ROSTER.replace("ADDRESS", address))
    assert told.startswith("roster.yaml:4:")
    assert expected.split("  → ")[0] in told and expected.split("  → ")[-1] in told


@pytest.mark.parametrize("address", ["@13800000000", "userid:manager1", "group"])
def test_an_address_that_calls_somebody_is_well(address: str, tmp_path: Path) -> None:
    assert site(tmp_path, ROSTER.replace("ADDRESS", address)) == []


def test_the_system_s_own_alarm_is_looked_at_too(tmp_path: Path) -> None:
    own = SITE + "alarm: {contacts: [{channel: lark, address: ops}]}\n"
    (told,) = site(tmp_path, ROSTER.replace("ADDRESS", "group"), own=own)
    assert told.startswith("site.yaml:2:") and "openid:ou_…" in told


def test_a_robot_s_address_written_out_is_refused_and_not_repeated(tmp_path: Path) -> None:
    channels = ROBOTS.replace(
        "${HUIYING_DINGTALK_ROBOT}", "https://oapi.dingtalk.com/robot/send?access_token=k3y"
    )
    (told,) = site(tmp_path, ROSTER.replace("ADDRESS", "group"), channels)
    assert "不能直接写在文件里" in told and "k3y" not in told


def test_a_robot_without_its_address_says_what_is_missing(tmp_path: Path) -> None:
    channels = ROBOTS.replace(', robot: "${HUIYING_DINGTALK_ROBOT}"', "")
    (told,) = site(tmp_path, ROSTER.replace("ADDRESS", "group"), channels)
    assert "dingtalk 渠道缺少 robot" in told


def test_an_app_whose_buttons_could_not_come_back_says_what_is_missing(tmp_path: Path) -> None:
    app = '  - {id: app, type: feishu_app, app_id: cli_1, secret: "${A}", token: "${B}"}\n'
    (told,) = site(tmp_path, ROSTER.replace("ADDRESS", "group"), ROBOTS + app)
    assert "按钮回调缺少 encrypt_key" in told


def test_an_app_writes_to_one_person_and_not_to_a_group(tmp_path: Path) -> None:
    app = '  - {id: app, type: wecom_app, app_id: ww1, agent_id: 7, secret: "${A}"}\n'
    roster = ROSTER.replace("channel: ding", "channel: app").replace("ADDRESS", "group")
    (told,) = site(tmp_path, roster, ROBOTS + app)
    assert "“group”" in told and "userid:zhangsan" in told


def test_every_example_of_the_guide_is_sound(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n# (\w+\.yaml)\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert {name for name, _ in blocks} >= {"channels.yaml", "roster.yaml"}
    found: dict[str, str] = {"site.yaml": SITE}
    for name, text in blocks:
        found[name] = found[name] + text.removeprefix("channels:\n") if name in found else text
    for name, text in found.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert [str(each) for each in lint([tmp_path]) if not each.warning] == []
