from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from connectors.times import parse_when
from models.core.moment import CST


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2019/9/5 12:03", datetime(2019, 9, 5, 12, 3, tzinfo=CST)),
        ("2019-09-05 12:03:11", datetime(2019, 9, 5, 12, 3, 11, tzinfo=CST)),
        ("2019-09-05T12:03:11.250Z", datetime(2019, 9, 5, 20, 3, 11, tzinfo=CST)),
        ("2019-09-05T12:03:11+0900", datetime(2019, 9, 5, 11, 3, 11, tzinfo=CST)),
        ("2019年9月5日12时", datetime(2019, 9, 5, 12, tzinfo=CST)),
        ("2019年9月5日 12时03分11秒", datetime(2019, 9, 5, 12, 3, 11, tzinfo=CST)),
        ("2019年9月5日下午3点20分", datetime(2019, 9, 5, 15, 20, tzinfo=CST)),
        ("2019年9月5日 中午12点", datetime(2019, 9, 5, 12, tzinfo=CST)),
        ("2019年9月5日24时", datetime(2019, 9, 6, tzinfo=CST)),
        ("２０１９－０９－０５　１２：０３", datetime(2019, 9, 5, 12, 3, tzinfo=CST)),
        ("2019.9.5", datetime(2019, 9, 5, tzinfo=CST)),
        ("20190905120311", datetime(2019, 9, 5, 12, 3, 11, tzinfo=CST)),
        ("20190905", datetime(2019, 9, 5, tzinfo=CST)),
        ("9/5/2019 3:20", None),
        ("1567656191", datetime(2019, 9, 5, 12, 3, 11, tzinfo=CST)),
        (1567656191000, datetime(2019, 9, 5, 12, 3, 11, tzinfo=CST)),
        (43713.5, datetime(2019, 9, 5, 12, tzinfo=CST)),
        ("Thu, 05 Sep 2019 04:03:11 GMT", datetime(2019, 9, 5, 12, 3, 11, tzinfo=CST)),
        ("Thu, 05 Sep 2019 12:03:11 +0800", datetime(2019, 9, 5, 12, 3, 11, tzinfo=CST)),
        ("Thu, 05 Sep 2019 12:03:11", datetime(2019, 9, 5, 12, 3, 11, tzinfo=CST)),
        (datetime(2019, 9, 5, 4, 3, tzinfo=UTC), datetime(2019, 9, 5, 12, 3, tzinfo=CST)),
        (datetime.fromisoformat("2019-09-05T12:03"), datetime(2019, 9, 5, 12, 3, tzinfo=CST)),
        (date(2019, 9, 5), datetime(2019, 9, 5, tzinfo=CST)),
    ],
)
def test_a_time_is_read_in_the_shape_that_it_was_written_in(written: object, meant: datetime | None) -> None:
    if meant is None:
        with pytest.raises(ValueError, match="不是时间"):
            parse_when(written)
    else:
        assert parse_when(written) == meant


@pytest.mark.parametrize("written", [None, "", "  "])
def test_an_empty_cell_is_no_time_and_no_error(written: object) -> None:
    assert parse_when(written) is None


@pytest.mark.parametrize(
    "written", ["昨天下午", "2019-13-40", "2019-09-05 25:00", "2019年2月30日", True, 7, [], "9" * 200]
)
def test_what_is_no_time_is_refused_with_the_form_wanted(written: object) -> None:
    with pytest.raises(ValueError, match="2026-11-21 02:13"):
        parse_when(written)


@pytest.mark.parametrize("written", ["1970-01-01 00:00", "0001-01-01", "9999-12-31 23:59"])
def test_a_year_that_cannot_be_meant_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="不会是真的"):
        parse_when(written)
