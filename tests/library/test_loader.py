"""A YAML file is read with places, or refused in one clear line."""

from pathlib import Path

import pytest

from playbooks.loader import MAX_BYTES, Mark, Problems, load, parse


def problems_of(text: str | bytes) -> list[str]:
    with pytest.raises(Problems) as caught:
        parse(text, "a.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_every_key_and_value_knows_its_place() -> None:
    document = parse("name: 临江\nclocks:\n  - {id: a, amount: PT5H}\n")
    assert document.data == {"name": "临江", "clocks": [{"id": "a", "amount": "PT5H"}]}
    assert document.at(("clocks", 0, "amount"), key=True) == Mark(3, 13)
    assert document.at(("clocks", 0, "amount")) == Mark(3, 21)


def test_a_missing_key_stands_where_its_parent_stands() -> None:
    document = parse("clocks:\n  - id: a\n")
    assert document.at(("clocks", 0, "amount")) == Mark(2, 5)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("on", "on"),
        ("no", "no"),
        ("12:30", "12:30"),
        ("2026-11-21T08:00", "2026-11-21T08:00"),
        ("true", True),
        ("~", None),
        ("0851", "0851"),
        ("-3", -3),
        ("0.5", 0.5),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("50%", "50%"),
    ],
)
def test_plain_values_follow_yaml_1_2_and_keep_what_looks_like_text(written: str, read: object) -> None:
    value = parse(f"a: {written}").data["a"]
    assert value == read
    assert type(value) is type(read)


def test_a_byte_order_mark_is_no_trouble() -> None:
    assert parse(b"\xef\xbb\xbfa: 1").data == {"a": 1}


def test_bytes_of_gb18030_are_named_as_such() -> None:
    assert problems_of("a: 1\nname: 临江市".encode("gb18030")) == [
        "a.yaml:2:7: 不是 UTF-8 编码，看起来是 GB18030（用编辑器另存为 UTF-8）"
    ]


def test_utf_16_is_named_as_such() -> None:
    assert "UTF-16" in problems_of("name: 临江市".encode("utf-16"))[0]


def test_a_duplicate_key_is_refused_with_both_lines() -> None:
    assert problems_of("name: a\nregion: b\nname: c\n") == [
        "a.yaml:3:1: 键 “name” 重复了（第 1 行已经有它，留一个）"
    ]


def test_all_duplicates_are_told_at_once() -> None:
    assert len(problems_of("a: 1\na: 2\nb: {c: 1, c: 2}\n")) == 2


def test_a_full_width_colon_is_shown_with_the_right_one() -> None:
    assert problems_of("name：临江\nprofile: cn-national\n") == [
        "a.yaml:1:5: 键后面用了全角冒号 “：”（换成半角冒号加空格 “: ”）"
    ]


def test_a_file_of_only_full_width_colons_is_told_line_by_line() -> None:
    assert [line[:11] for line in problems_of("name：临江\nprofile：x\n")] == ["a.yaml:1:5:", "a.yaml:2:8:"]


def test_a_full_width_colon_inside_a_value_is_fine() -> None:
    assert parse("name: 通报：第一号").data == {"name": "通报：第一号"}


def test_full_width_quotes_around_a_value_are_refused_unless_quoted() -> None:
    assert problems_of("name: “临江”")[0].startswith("a.yaml:1:7: 用了全角引号 “ ”")
    assert parse("name: '“双减”'").data == {"name": "“双减”"}


def test_a_full_width_comma_in_a_list_is_refused() -> None:
    assert problems_of("on_duty: [chen，li]")[0].startswith("a.yaml:1:11: 列表里用了全角逗号")


def test_a_tab_is_named() -> None:
    assert problems_of("a:\n\tb: 1\n") == ["a.yaml:2:1: 用了制表符 (Tab) 缩进（换成空格）"]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: b: c", "a.yaml:1:5:", "不该有"),
        ("a: [1", "a.yaml:1:6:", "没有闭合"),
        ("a: 'x", "a.yaml:1:6:", "引号没有闭合"),
        ("- a\nb: 1", "a.yaml:2:1:", "缩进对不上"),
        ("a: @x", "a.yaml:1:4:", "加上引号"),
        ("a: 1\n---\nb: 2", "a.yaml:2:1:", "一份内容"),
        ("a: \x01", "a.yaml:1:4:", "控制字符"),
        ("a: !!python/object:os.system x", "a.yaml:1:4:", "类型标记"),
        ("a: &x 1\nb: *x", "a.yaml:2:4:", "引用"),
        ("? {a: 1}\n: 2", "a.yaml:1:3:", "键只能是文字"),
    ],
)
def test_a_syntax_error_is_one_clear_line(text: str, place: str, words: str) -> None:
    (line,) = problems_of(text)
    assert line.startswith(place)
    assert words in line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\n\u3000\u3000b: 2", "a.yaml:2:1: 缩进用了全角空格（换成半角空格）"),
        ("a:\n \xa0b: 2", "a.yaml:2:2: 缩进用了不间断空格等特殊空格（换成半角空格）"),
        ("a: 1\n\ufeffb: 2", "a.yaml:2:1: 有看不见的字符 U+FEFF（删掉它重新输入）"),
        ("id: fl\u200bood", "a.yaml:1:7: 有看不见的字符 U+200B（删掉它重新输入）"),
        ("a: \u202eabc", "a.yaml:1:4: 有看不见的字符 U+202E（删掉它重新输入）"),
        ("stop: {evidence：x}", "a.yaml:1:8: 键后面用了全角冒号 “：”（换成半角冒号加空格 “: ”）"),
        ("stop: ｛a: b｝", "a.yaml:1:9: 用了全角括号 “｛”（换成半角 “{”）"),
        ("name: “内涝", 'a.yaml:1:7: 全角引号 “ 没有闭合（换成半角引号 " 成对写）'),
        ("a:\n  -\tb: 1", "a.yaml:2:4: 用了制表符 (Tab) 缩进（换成空格）"),
        ("base: &b {x: 1}\nmore:\n  <<: *b", "a.yaml:3:7: 不接受引用 “*”（锚点与别名）（把内容照写一遍）"),
        ("a: &a [*a]", "a.yaml:1:8: 不接受引用 “*”（锚点与别名）（把内容照写一遍）"),
    ],
)
def test_what_nobody_sees_or_meant_is_told_in_one_line(text: str, expected: str) -> None:
    assert problems_of(text) == [expected]


def test_a_paragraph_may_begin_with_wide_blanks() -> None:
    assert parse("body: |\n  第一段\n  \u3000\u3000第二段\n").data == {"body": "第一段\n\u3000\u3000第二段\n"}


def test_ten_megabytes_are_refused_without_being_read_through(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_bytes(b"a:\n\t- 1\n" + b"# comment\n" * 1_000_000)
    with pytest.raises(Problems) as caught:
        load(path)
    (problem,) = caught.value.problems  # whoever reads it stumbles over its second line
    assert "文件超过 1 MB" in str(problem)


def test_a_bomb_of_aliases_is_never_expanded() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{c}: &{c} [*{p}, *{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert len(problems_of(bomb)) == 16


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: " + "[" * 5000, "嵌套超过"),
        ("- a\n" * 60_000, "超过 50000 个值"),
        ("a: " + "x" * 50_000, "超过 20000 个字符"),
        ("#\n" * MAX_BYTES, "超过 1 MB"),
        ("a: 1\n" * 10_000, "重复"),
    ],
)
def test_a_monstrous_file_is_refused(text: str, words: str) -> None:
    assert words in problems_of(text)[0]


def test_a_missing_file_is_a_problem_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(Problems, match="文件读不出来"):
        load(tmp_path / "none.yaml")


def test_an_empty_file_is_empty_data() -> None:
    assert parse("# nothing\n").data is None
