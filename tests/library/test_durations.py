"""A length of time that was written loosely is answered with the right form, or with none at all."""

import pytest

from playbooks.durations import suggest_duration, suggest_working_days


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("5小时", "PT5H"),
        ("5h", "PT5H"),
        ("5 hours", "PT5H"),
        ("五小时", "PT5H"),
        ("两天", "P2D"),
        ("十二个小时", "PT12H"),
        ("半小时", "PT30M"),
        ("一个半小时", "PT90M"),
        ("2小时半", "PT150M"),
        ("1.5小时", "PT90M"),
        ("1小时30分钟", "PT90M"),
        ("两周", "P14D"),
        ("５小时", "PT5H"),
        ("PT５H", "PT5H"),
        ("pt5h", "PT5H"),
        ("P5H", "PT5H"),
        ("PT5", "PT5H"),
        ("P1W", "P7D"),
        ("90分", "PT90M"),
        ("-5小时", "PT5H"),
        ("24小时", "P1D"),
        ("P1M", ""),
        ("马上", ""),
        ("5", ""),
        ("5小时左右", ""),
        ("99999999小时", ""),
        ("", ""),
    ],
)
def test_a_loose_length_is_guessed_or_left(written: str, right: str) -> None:
    assert suggest_duration(written) == right


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("五个工作日", "5 个工作日"),
        ("-5 个工作日", "5 个工作日"),
        ("２０工作日", "20 个工作日"),
        ("5 天", ""),
    ],
)
def test_loose_working_days_are_guessed_or_left(written: str, right: str) -> None:
    assert suggest_working_days(written) == right
