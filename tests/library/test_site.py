"""A site loads whole, or says everything that is wrong with it in one run."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.core.moment import CST
from models.core.vocabulary import Medium
from playbooks.lint import lint
from playbooks.problem import Problems, errors
from playbooks.site import load_site, survey
from playbooks.start import write_starter

DEMO = Path(__file__).parents[2] / "deploy" / "demo"
ENVIRON = {"HUIYING_HOOK_SECRET": "s3cr3t-value"}
LEAST = {
    "site.yaml": """\
# site.yaml
name: 临江市政府办公室
profile: cn-national
http: {allow_hosts: [127.0.0.1]}      # intranet hosts that the address guard lets through
""",
    "channels.yaml": """\
channels:
  - {id: hook, type: webhook, url: "http://127.0.0.1:9009/alerts", secret: "${HUIYING_HOOK_SECRET}"}
""",
    "roster.yaml": """\
units:
  - {id: office, name: 市政府办公室}
people:
  - {id: chen, name: 陈值班, unit: office, contacts: [{channel: hook, address: chen}]}
  - {id: li, name: 李主任, unit: office, contacts: [{channel: hook, address: li}]}
ladder:
  - {rung: 1, role: duty_officer, on_duty: [chen]}     # or rotation: {...}
  - {rung: 2, role: duty_leader, on_duty: [li]}
""",
}


def write(directory: Path, changes: dict[str, tuple[str, str]] | None = None, **more: str) -> Path:
    """The least site with `changes` (file → (right, wrong)) and `more` whole files by stem."""
    for name, text in {**LEAST, **{f"{stem}.yaml": text for stem, text in more.items()}}.items():
        right, wrong = (changes or {}).get(name, ("", ""))
        (directory / name).write_text(text.replace(right, wrong, 1) if right else text, encoding="utf-8")
    return directory


def refusals(directory: Path, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(Problems) as caught:
        load_site(directory, ENVIRON if environ is None else environ)
    return [str(each).removeprefix(f"{directory.resolve()}/") for each in caught.value.problems]


def warnings(directory: Path, environ: dict[str, str]) -> list[str]:
    """What is wrong with the secrets of a site that loads all the same."""
    assert load_site(directory, environ).name
    found = survey(directory, environ)[1]
    assert not errors(found)
    lines = [str(each).removeprefix(f"{directory.resolve()}/") for each in found]
    return [line for line in lines if "最高第" not in line]


def test_the_least_site_loads(tmp_path: Path) -> None:
    site = load_site(write(tmp_path), ENVIRON)
    assert site.name == "临江市政府办公室"
    assert site.database_url == f"sqlite:///{tmp_path.resolve().as_posix()}/huiying.sqlite"
    assert (site.console.host, site.console.port) == ("127.0.0.1", 8787)
    assert site.http.allow_hosts == ("127.0.0.1",)
    assert [person.id for person in site.roster.on_duty(1, datetime(2026, 11, 21, tzinfo=UTC))] == ["chen"]
    assert [book.id for book in site.library.playbooks][:2] == ["acknowledge", "three_reviews"]
    assert not site.kafka.enabled


def test_a_name_alone_is_enough(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("name: 临江\n", encoding="utf-8")
    site = load_site(tmp_path, {})
    assert (site.roster.ladder, site.channels, site.profile) == ((), (), "cn-national")


def test_lint_warns_of_a_ladder_that_is_missing_or_short(tmp_path: Path) -> None:
    assert [each.warning for each in lint([write(tmp_path)])] == [True]
    assert "最高第 2 级" in str(lint([tmp_path])[0])
    (tmp_path / "roster.yaml").unlink()
    assert "没有值班阶梯" in str(lint([tmp_path])[0])


def test_a_directory_without_site_yaml_says_how_to_get_one(tmp_path: Path) -> None:
    (line,) = refusals(tmp_path)
    assert "没有 site.yaml（huiying init" in line


def test_a_secret_is_followed_when_asked_and_shown_nowhere(tmp_path: Path) -> None:
    site = load_site(write(tmp_path), ENVIRON)
    assert site.channels[0]["secret"] == "${HUIYING_HOOK_SECRET}"
    assert site.secrets(site.channels[0]["secret"]) == "s3cr3t-value"
    assert "s3cr3t-value" not in repr(site) + repr(site.secrets) + repr(site.channels)


def test_a_secret_may_come_from_a_file_of_the_site(tmp_path: Path) -> None:
    (tmp_path / "hook.key").write_text("from-a-file\n", encoding="utf-8")
    directory = write(tmp_path, {"channels.yaml": ('"${HUIYING_HOOK_SECRET}"', "file:hook.key")})
    site = load_site(directory, {})
    assert site.secrets(site.channels[0]["secret"]) == "from-a-file"


def test_a_missing_variable_is_named_at_its_line(tmp_path: Path) -> None:
    """A warning: the channel refuses aloud, and an officer's acknowledgement still works."""
    (line,) = warnings(write(tmp_path), {})
    assert line.startswith("channels.yaml:2:76: 提醒：环境变量 HUIYING_HOOK_SECRET 没有设置")


def test_a_missing_secret_file_is_named(tmp_path: Path) -> None:
    (line,) = warnings(
        write(tmp_path, {"channels.yaml": ('"${HUIYING_HOOK_SECRET}"', "file:no.key")}), ENVIRON
    )
    assert "密钥文件 no.key 读不出来" in line


def test_a_secret_written_out_is_refused_and_not_repeated(tmp_path: Path) -> None:
    (line,) = refusals(write(tmp_path, {"channels.yaml": ("${HUIYING_HOOK_SECRET}", "hunter2-hunter2")}))
    assert "密钥 “secret” 不能直接写在文件里" in line
    assert "hunter2" not in line


def test_a_secret_of_the_wrong_type_is_not_repeated_either(tmp_path: Path) -> None:
    lines = refusals(write(tmp_path, {"channels.yaml": ('"${HUIYING_HOOK_SECRET}"', "20260101123456")}))
    assert len(lines) == 2
    assert "20260101123456" not in "".join(lines)


def test_lint_on_another_machine_needs_no_secrets(tmp_path: Path) -> None:
    assert not [each for each in lint([write(tmp_path)]) if not each.warning]


def test_a_secret_unknown_at_use_is_named(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="环境变量 NO_SUCH 没有设置"):
        load_site(write(tmp_path), ENVIRON).secrets("${NO_SUCH}")


@pytest.mark.parametrize(
    ("file", "right", "wrong", "expected"),
    [
        (
            "roster.yaml",
            "on_duty: [chen]",
            "on_duty: [chne]",
            "roster.yaml:7:45: 没有人员 “chne”，是不是 “chen”？（已有：chen、li）",
        ),
        ("roster.yaml", "on_duty: [chen]", "on_duty: []", "roster.yaml:7:5: 第 1 级没有人"),
        (
            "roster.yaml",
            "unit: office",
            "unit: ofice",
            "roster.yaml:4:33: 没有单位 “ofice”，是不是 “office”？",
        ),
        ("roster.yaml", "channel: hook", "channel: hok", "roster.yaml:4:62: 没有渠道 “hok”，是不是 “hook”？"),
        (
            "roster.yaml",
            "duty_officer",
            "duty_oficer",
            "roster.yaml:7:21: “duty_oficer” 不是可用的值，是不是 “duty_officer”？",
        ),
        (
            "roster.yaml",
            "address: chen",
            "address: 13800000000",
            "roster.yaml:4:77: 应为文本，这里是 “13800000000”（给值加上引号）",
        ),
        ("roster.yaml", "id: li", "id: chen", "roster.yaml:5:10: 标识 “chen” 重复了"),
        (
            "roster.yaml",
            ", contacts: [{channel: hook, address: chen}]",
            "",
            "roster.yaml:7:5: 第 1 级的人都没有联系方式",
        ),
        (
            "channels.yaml",
            "webhook",
            "webhok",
            "channels.yaml:2:22: “webhok” 不是可用的值，是不是 “webhook”？",
        ),
        (
            "channels.yaml",
            "http://127.0.0.1:9009/alerts",
            "127.0.0.1:9009",
            "channels.yaml:2:36: “127.0.0.1:9009” 不是网址",
        ),
        (
            "channels.yaml",
            ', secret: "${HUIYING_HOOK_SECRET}"',
            "",
            "channels.yaml:2:5: webhook 渠道缺少 secret",
        ),
        (
            "site.yaml",
            "cn-national",
            "cn-nationl",
            "site.yaml:3:10: 没有参数集 “cn-nationl”，是不是 “cn-national”？",
        ),
        ("site.yaml", "profile", "profil", "site.yaml:3:1: 未知的键 “profil”，是不是 “profile”？"),
        ("site.yaml", "name:", "nam:", "site.yaml:2:1: 缺少键 “name”"),
    ],
)
def test_a_slip_in_a_site_is_told_at_its_place(
    tmp_path: Path, file: str, right: str, wrong: str, expected: str
) -> None:
    lines = refusals(write(tmp_path, {file: (right, wrong)}))
    assert any(line.startswith(expected) for line in lines), lines


def test_all_problems_of_all_files_come_in_one_run(tmp_path: Path) -> None:
    directory = write(
        tmp_path,
        {
            "site.yaml": ("profile", "profil"),
            "roster.yaml": ("[chen]", "[chne]"),
            "channels.yaml": ("hook", "ho ok"),
        },
        sources="feeds:\n  - {id: a, nam: A}\n",
        plans="plan: []\n",
    )
    (directory / "playbooks").mkdir()
    (directory / "playbooks" / "x.yaml").write_text("id: x\n", encoding="utf-8")
    files = {line.split(":")[0] for line in refusals(directory)}
    assert files == {
        "site.yaml",
        "roster.yaml",
        "channels.yaml",
        "sources.yaml",
        "plans.yaml",
        "playbooks/x.yaml",
    }


def test_sources_take_their_defaults(tmp_path: Path) -> None:
    sources = """\
feeds:
  - {id: news, name: 新闻, url: "http://127.0.0.1:8788/a.xml"}
tickets:
  - {id: hotline, name: 热线, folder: tickets}
official:
  - {id: release, name: 发布, url: "https://example.cn/r.xml", every: PT5M}
kafka: {bootstrap: "127.0.0.1:9092", topics: [tickets]}
"""
    site = load_site(write(tmp_path, sources=sources), ENVIRON)
    assert site.sources.feeds[0].every.total_seconds() == 600
    assert site.sources.tickets[0].door is Medium.HOTLINE
    assert site.kafka.topics == ("tickets",)


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ("feeds:\n  - {id: a, name: A, url: ftp://x}\n", "sources.yaml:2:27: “ftp://x” 不是网址"),
        ("kafka: {bootstrap: k, topics: [t], dead_letters: t}\n", "sources.yaml:1:8: 主题 t 写了两处"),
        ('feeds:\n  - {id: a, name: A, url: "${X_URL}"}\n', "sources.yaml:2:27: “${X_URL}” 不是网址"),
        (
            "tickets:\n  - {id: a, name: A}\n",
            "sources.yaml:2:5: folder、file、webhook、mailbox 要写且只写一个",
        ),
        (
            "feeds:\n  - {id: a, name: A, url: http://x, medium: webo}\n",
            "sources.yaml:2:45: “webo” 不是可用的值，是不是 “weibo”？",
        ),
        (
            "feeds:\n  - {id: a, name: A, url: http://x}\nofficial:\n  - {id: a, name: B, url: http://y}\n",
            "sources.yaml:4:10: 信源标识 “a” 重复了",
        ),
    ],
)
def test_a_slip_in_the_sources_is_told(tmp_path: Path, sources: str, expected: str) -> None:
    lines = refusals(write(tmp_path, sources=sources))
    assert any(line.startswith(expected) for line in lines), lines


def test_a_source_that_only_calls_itself_official_is_warned_of(tmp_path: Path) -> None:
    tickets = "tickets:\n  - {id: a, name: A, folder: t, medium: official}\n"
    told = [str(one) for one in lint([write(tmp_path, sources=tickets)]) if one.warning]
    assert any("sources.yaml:2:" in line and "不会让它成为我方发布" in line for line in told), told


def test_rotations_and_absences_become_the_cores_own(tmp_path: Path) -> None:
    roster = LEAST["roster.yaml"].replace(
        "on_duty: [chen]", "rotation: {people: [chen, li], every: P1D, since: 2026-11-20T08:00}"
    )
    roster += (
        "absences:\n  - {person: li, since: 2026-11-21T08:00, until: 2026-11-22T08:00, substitute: chen}\n"
    )
    site = load_site(write(tmp_path, roster=roster), ENVIRON)
    first, second = datetime(2026, 11, 20, 9, tzinfo=CST), datetime(2026, 11, 21, 9, tzinfo=CST)
    assert [person.id for person in site.roster.on_duty(1, first)] == ["chen"]
    assert [person.id for person in site.roster.on_duty(1, second)] == ["chen"]
    assert [person.id for person in site.roster.on_duty(2, second)] == ["chen"]


@pytest.mark.parametrize(
    ("absence", "expected"),
    [
        ("{person: lee, since: 2026-11-21T08:00, until: 2026-11-22T08:00}", "没有人员 “lee”"),
        ("{person: li, since: 2026-11-22T08:00, until: 2026-11-21T08:00}", "外出结束早于开始"),
        ("{person: li, since: 明天, until: 2026-11-21T08:00}", "“明天” 不是时间"),
    ],
)
def test_a_slip_in_an_absence_is_told(tmp_path: Path, absence: str, expected: str) -> None:
    directory = write(tmp_path, roster=f"{LEAST['roster.yaml']}absences:\n  - {absence}\n")
    assert any(expected in line for line in refusals(directory))


def test_the_database_url_follows_its_reference_and_hides_it(tmp_path: Path) -> None:
    text = LEAST["site.yaml"] + 'database: "${HUIYING_DATABASE}"\n'
    site = load_site(
        write(tmp_path, site=text), {**ENVIRON, "HUIYING_DATABASE": "postgresql://u:pw-secret@db/h"}
    )
    assert site.database_url == "postgresql://u:pw-secret@db/h"
    assert "pw-secret" not in repr(site)


def test_an_address_that_holds_a_key_may_be_a_reference(tmp_path: Path) -> None:
    directory = write(tmp_path, {"channels.yaml": ("http://127.0.0.1:9009/alerts", "${HUIYING_HOOK_URL}")})
    site = load_site(directory, {**ENVIRON, "HUIYING_HOOK_URL": "https://gate.example.cn/k3y"})
    assert site.channels[0]["url"] == "https://gate.example.cn/k3y"
    assert "k3y" not in repr(site)


def test_the_demonstration_site_is_sound() -> None:
    assert lint([DEMO]) == []
    assert load_site(DEMO, {}).roster.top() == 4


def test_a_starter_site_is_sound_and_never_overwrites(tmp_path: Path) -> None:
    directory = tmp_path / "site"
    written = write_starter(directory)
    assert all(path.is_file() for path in written)
    assert lint([directory]) == []
    assert load_site(directory, {}).roster.top() == 4
    with pytest.raises(Problems, match="已经有这个文件"):
        write_starter(directory)


def test_every_commented_example_of_the_starter_is_valid(tmp_path: Path) -> None:
    directory = tmp_path / "site"
    write_starter(directory)
    for path in directory.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        for empty in (
            "feeds",
            "tickets",
            "official",
            "plans",
            "bursts",
            "absences",
            "overrides",
            "sensitive",
        ):
            text = text.replace(f"{empty}: []", f"{empty}:")
        path.write_text(text.replace("\n#  - ", "\n  - "), encoding="utf-8")
    site = load_site(directory, {"HUIYING_HOOK_SECRET": "a", "HUIYING_SLACK_TOKEN": "b"})
    examples = (directory / "channels.yaml").read_text(encoding="utf-8").count("- {id:")
    assert (len(site.sources.feeds), len(site.watch.book.plans)) == (2, 3)
    assert len(site.channels) == examples >= 6


def test_of_a_file_of_a_site_the_whole_site_is_linted(tmp_path: Path) -> None:
    directory = write(tmp_path, {"roster.yaml": ("channel: hook", "channel: hok")})
    for name in ("roster.yaml", "channels.yaml"):
        found = [each for each in lint([directory / name]) if not each.warning]
        assert [(Path(each.file).name, each.line) for each in found] == [("roster.yaml", 4)]


@pytest.mark.parametrize(
    ("feed", "expected"),
    [
        ("every: PT10M, every_min: PT20M", "every 不在 every_min 与 every_max 之间"),
        ("every: PT10M, every_max: PT5M", "every 不在 every_min 与 every_max 之间"),
        ("type: page", "type: page 与 select 要一起写"),
        ("select: {item: li}", "type: page 与 select 要一起写"),
        ('type: page, select: {item: "li >"}', "选择器“li >”不完整"),
    ],
)
def test_a_slip_in_a_feeds_rhythm_or_rule_is_told(tmp_path: Path, feed: str, expected: str) -> None:
    lines = refusals(write(tmp_path, sources=f"feeds:\n  - {{id: a, name: A, url: http://x, {feed}}}\n"))
    assert any(expected in line and line.startswith("sources.yaml:2:") for line in lines), lines


def test_a_feed_without_bounds_moves_between_a_quarter_and_twice_its_interval(tmp_path: Path) -> None:
    rows = "".join(
        f"  - {{id: f{n}, name: A, url: http://x/{n}, every: {every}}}\n"
        for n, every in enumerate(("PT10M", "PT1M", "PT10S"))
    )
    feeds = load_site(write(tmp_path, sources=f"feeds:\n{rows}"), ENVIRON).sources.feeds
    assert [(feed.least.total_seconds(), feed.most.total_seconds()) for feed in feeds] == [
        (150, 1200),
        (60, 120),
        (10, 20),
    ]
