"""Whom an address calls, and what is said of one that calls nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.mentions import MOBILE, OPENID, USERID, WAYS, Mention, mention, trouble


@pytest.mark.parametrize(
    ("kind", "address", "found"),
    [
        ("dingtalk", "@13800000000", Mention(MOBILE, "13800000000")),
        ("dingtalk", "@+852-51234567", Mention(MOBILE, "+852-51234567")),
        ("wecom", "userid:zhang.san", Mention(USERID, "zhang.san")),
        ("feishu", "openid:ou_1f2e", Mention(OPENID, "ou_1f2e")),
        ("feishu", "@13800000000", None),
        ("wecom", "group", None),
        ("wecom", "userid:all", None),
        ("wecom", "userid:ALL", None),
        ("dingtalk", "@23800000000", None),
        ("feishu", 'openid:ou_1"></at><at id=all>', None),
        ("webhook", "@13800000000", None),
    ],
)
def test_an_address_calls_one_person_in_the_platform_s_own_way(
    kind: str, address: str, found: Mention | None
) -> None:
    assert mention(kind, address) == found


@pytest.mark.parametrize(
    ("kind", "address", "words"),
    [
        ("dingtalk", "13800000000", "手机号前少了 @"),
        ("wecom", "@all", "地址不能是所有人"),
        ("wecom", "userid:all", "地址不能是所有人"),
        ("feishu", "@13800000000", "@ 不到人"),
        ("feishu_app", "group", "@ 不到人"),
        ("dingtalk", "王带班", "@ 不到人"),
    ],
)
def test_a_malformed_address_is_named_with_the_way_out(kind: str, address: str, words: str) -> None:
    found = trouble(kind, address)
    assert found is not None and words in found[0]
    assert "写成" in found[1]


@pytest.mark.parametrize(
    ("kind", "address"), [("dingtalk", "group"), ("webhook", "anything"), ("wecom_app", "userid:wang")]
)
def test_a_good_address_has_no_trouble(kind: str, address: str) -> None:
    assert trouble(kind, address) is None


@given(kind=st.sampled_from(sorted(WAYS)), address=st.text(max_size=80))
def test_whatever_is_written_calls_one_person_or_says_what_is_wrong(kind: str, address: str) -> None:
    found = mention(kind, address)
    assert found is not None or trouble(kind, address) is not None or address == "group"
    assert found is None or not set(found.name) & set("<>\"' ()[]")
