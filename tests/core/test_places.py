"""The place of an event: down to the county, told apart, and never guessed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.places import Place, locate
from models.core.text import canonical


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("浙江省温州市鹿城区一民房起火", "浙江省温州市鹿城区"),
        ("温州鹿城区一民房起火", "浙江省温州市鹿城区"),
        ("云南镇雄突发山体滑坡", "云南省昭通市镇雄县"),
        ("北京朝阳区一写字楼着火", "北京市朝阳区"),
        ("辽宁朝阳双塔区发生车祸", "辽宁省朝阳市双塔区"),
        ("江苏南通通州区一工厂爆炸", "江苏省南通市通州区"),
        ("北京通州区一工地坍塌", "北京市通州区"),
        ("山东济南市中区发生车祸", "山东省济南市市中区"),
        ("四川内江市市中区停水", "四川省内江市市中区"),
        ("吉林省吉林市一饭店火灾", "吉林省吉林市"),
        ("湖北恩施州鹤峰县山洪", "湖北省恩施土家族苗族自治州鹤峰县"),
        ("甘肃临夏州积石山县发生地震", "甘肃省临夏回族自治州积石山保安族东乡族撒拉族自治县"),
        ("鄂尔多斯市伊金霍洛旗一煤矿事故", "内蒙古自治区鄂尔多斯市伊金霍洛旗"),
        ("新疆乌什县地震", "新疆维吾尔自治区阿克苏地区乌什县"),
        ("青海海南州共和县地震", "青海省海南藏族自治州共和县"),
        ("天津河北区一居民楼闪爆", "天津市河北区"),
        ("重庆城口县发生山体滑坡", "重庆市城口县"),
        ("台湾花莲强震", "台湾省花莲县"),
        ("湖北仙桃一车间起火", "湖北省仙桃市"),
        ("一名四川籍男子在云南丽江坠江", "云南省丽江市"),
        ("廣東省廣州市天河區發生火災", "广东省广州市天河区"),
        ("陕西西安一小区停电", "陕西省西安市"),
        ("西安一小区停电", "陕西省西安市"),
        ("警方通报长沙醉酒男子伤人", "湖南省长沙市"),
        ("长沙县一工厂爆炸", "湖南省长沙市长沙县"),
        ("云南大理一孩子走失", "云南省大理白族自治州"),
        ("丽江古城发生火灾", "云南省丽江市"),
        ("黑龙江牡丹江西安区火灾", "黑龙江省牡丹江市西安区"),
        ("中新网柳州8月5日电 广西柳州市融安县警方通报一起案件", "广西壮族自治区柳州市融安县"),
    ],
)
def test_a_place_is_found_down_to_the_county(text: str, name: str) -> None:
    found = locate(canonical(text))
    assert found is not None
    assert (found.zh, found.sure) == (name, True)


@pytest.mark.parametrize(
    "text",
    [
        "德州扑克比赛开幕",
        "阿里巴巴总部今日停电",
        "李长安说他不知情",
        "日照充足，宜晾晒",
        "大庆之年，处处欢歌",
        "泰国北标府一面包车翻车",
        "重庆火锅店里的趣事",
        "听说隔壁小区停水了",
        "北京时间9点开奖",
        "",
    ],
)
def test_a_name_that_is_no_place_of_an_event_gives_none(text: str) -> None:
    assert locate(canonical(text)) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("朝阳区一商场起火", "朝阳区"),
        ("市中区发生车祸", "市中区"),
        ("四川游客在泰国翻船", "四川省"),
        ("川渝多地震感明显", "四川省"),
        ("鲁南地区暴雨", "山东省"),
        ("义乌一仓库起火", "浙江省金华市义乌市"),
    ],
)
def test_what_stays_open_is_given_as_far_as_it_is_known_and_marked(text: str, name: str) -> None:
    found = locate(canonical(text))
    assert found is not None
    assert (found.zh, found.sure) == (name, False)


@pytest.mark.parametrize(
    ("text", "home", "name"),
    [
        ("朝阳区一商场起火", "北京市", "北京市朝阳区"),
        ("朝阳区一商场起火", "吉林省长春市", "吉林省长春市朝阳区"),
        ("市中区停水", "四川省内江市", "四川省内江市市中区"),
        ("鼓楼区一高层失火", "福建福州", "福建省福州市鼓楼区"),
    ],
)
def test_the_sites_own_region_decides_between_places_of_one_name(text: str, home: str, name: str) -> None:
    found = locate(canonical(text), home)
    assert found is not None
    assert (found.zh, found.sure) == (name, True)


def test_another_place_of_the_text_decides_too() -> None:
    found = locate(canonical("长春消防通报：朝阳区一商场起火"))
    assert found is not None
    assert found.zh == "吉林省长春市朝阳区"


def test_two_places_at_once_are_not_sure() -> None:
    found = locate(canonical("浙江温州一工厂爆炸，伤者已送往上海医院"))
    assert found is not None
    assert (found.city, found.sure) == ("温州市", False)


def test_the_span_points_at_the_words() -> None:
    text = canonical("昨夜，浙江温州鹿城区一民房起火")
    found = locate(text)
    assert found is not None
    assert text[found.start : found.end] == "浙江温州鹿城区"


@pytest.mark.parametrize(
    "flood", ["北京", "市", "温州市鹿城区", "😀", "中华人民共和国", "州县区市", "a", "\u200b"]
)
def test_a_flood_of_names_takes_bounded_time(flood: str) -> None:
    begun = time.monotonic()
    locate(canonical(flood * (1_000_000 // len(flood))))
    assert time.monotonic() - begun < 30  # a moment alone; a reader that runs away takes minutes


@given(st.text(alphabet="北京上海朝阳区市中通州县温鹿城川渝的,。一籍路\u200b😀", max_size=80))
def test_no_mixture_of_names_breaks_it(text: str) -> None:
    found = locate(text)
    assert found is None or (isinstance(found, Place) and 0 <= found.start < found.end <= len(text))
