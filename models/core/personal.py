"""Personal data in texts from outside: found by its own marks and masked whole (law 15, N-150).

Told from other numbers by what makes each one what it is: an identity card by its province, date and
check digit, a bank card by its first digit and check digit, a landline by its area code. A word before
a number (身份证, 卡号, 编号) decides where the digits alone cannot. Everything is linear in the text.

What stays: roads and house numbers, because a duty team must know where something happens. What goes:
the household behind the door (栋, 单元, 室; 组 with 号), and a whole address after 家住 or 住址.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from models.core.vocabulary import Medium

MASKS = ("〔身份证〕", "〔电话〕", "〔银行卡〕", "〔车牌〕", "〔门牌〕", "〔姓名〕", "〔邮箱〕")
"""What a page shows instead; nothing of the number is left (个人信息保护法 28)."""

_NUMBERED = (
    r"(?:编号|单号|文号|案号|流水号?|序号|批号|订单号?|受理号|备案号|许可证号?|统一社会信用代码|发票号?码?)"
)
_AFTER_NUMBERED = re.compile(_NUMBERED + r"[为是:： #-]{0,3}[A-Za-z]{0,6}-?$")
_SUM = r"(?!\s?(?:元|万|亿|吨|平方|㎡|公里|千瓦|%|\.\d))"  # an amount is nobody's number
_BARE = r"(?<![\dA-Za-z.])"
_WORD_BEFORE = 24  # characters before a number in which a word speaks for it

_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}", re.ASCII)
_PROVINCE = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91)"
_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_ID_CARD = re.compile(rf"(?<!\d){_PROVINCE}\d{{4}}[ -]?(?:18|19|20)\d{{2}}{_DAY}[ -]?\d{{3}}[\dXx](?!\d)")
_OLD_ID_CARD = re.compile(rf"(?<!\d){_PROVINCE}\d{{4}}\d{{2}}{_DAY}\d{{3}}(?!\d)")
_MOBILE = re.compile(rf"{_BARE}(?:(?:\+|00)?86[ -]?)?1[3-9]\d(?:[ -]?\d{{4}}){{2}}(?!\d){_SUM}")
_AREA = r"(?:010|02[0-57-9]|0[3-9]\d{2})"
_LANDLINE = re.compile(
    rf"{_BARE}(?:\(?\+?86\)?[ -]?)?(?:[(（]{_AREA}[)）][ -]?|{_AREA}[ -]?)[2-8]\d{{2,3}}[ -]?\d{{4}}"
    rf"(?:[-转]\d{{1,5}})?(?!\d){_SUM}"
)
_LOCAL = re.compile(
    r"(?P<word>(?:电话|座机|手机|联系方式|联系|致电|拨打|打)[号码为是:： ]{0,4})(?P<number>[2-8]\d{6,7})(?!\d)"
    + _SUM
)
_CARD = re.compile(rf"(?<![\d/=.A-Za-z])[3-69]\d{{3}}(?:[ -]?\d{{4}}){{2,3}}(?:[ -]?\d{{1,4}})?(?!\d){_SUM}")
_BEFORE_AN_ACCOUNT = ("卡号", "账号", "帐号", "账户", "帐户", "银行卡")
_ACCOUNT = re.compile(
    rf"(?P<word>(?:{'|'.join(_BEFORE_AN_ACCOUNT)})[为是:： ]{{0,3}})(?P<number>\d[\d -]{{10,26}}\d)(?!\d)"
)
_PLATE_PLACE = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE = re.compile(
    rf"[{_PLATE_PLACE}](?!GB)[A-HJ-NP-Z][·.• -]?(?=[A-HJ-NP-Z]{{0,2}}\d|\d)"
    r"(?=(?:[A-Z]{0,5}\d){3}|\d{5})(?:[A-HJ-NP-Z0-9]{5,6}|[A-HJ-NP-Z0-9]{4}[挂学警港澳领使])(?![A-Za-z0-9])",
    re.IGNORECASE,
)
BUILDINGS = ("号楼", "栋", "幢", "座")
_BUILDING = rf"(?:{'|'.join(BUILDINGS)})"
_HOUSEHOLD = re.compile(
    rf"(?<![\d年月])[\dA-Za-z一二三四五六七八九十]{{1,4}}{_BUILDING}[\dA-Za-z零〇一二三四五六七八九十单元门室户号房层楼-]{{0,16}}"
    r"|[\d一二三四五六七八九十]{1,3}单元[\d零〇一二三四五六七八九十]{1,5}(?:室|户|号|房)?|\d{1,3}组\d{1,4}号|(?<=号)\d{3,4}(?:室|户|房)"
)
_HOUSEHOLD_DEEP = re.compile(
    r"单元[\d一二三四五六七八九十]|[\d零〇一二三四五六七八九十]号?[室房]|\d组"
    rf"|{_BUILDING}-?\d{{3,4}}(?![\d户套人层米])"
)  # 3栋28层, 5栋300户 are sizes, not homes
BEFORE_A_HOME = ("家住", "家庭住址", "家庭地址", "现住址", "现住", "住址", "住在", "户籍地址", "户籍地")
"""Words that say that somebody's address follows, the longer before what they begin with."""
_LIVES = re.compile(
    rf"(?P<word>(?:{'|'.join(BEFORE_A_HOME)})[为是在:： ]{{0,3}})"
    r"(?P<where>[^\s，,。；;、！!？?]{2,40}?(?:\d{1,5}|[一二三四五六七八九十]{1,4})(?:号楼?|栋|幢|座|室|户|单元|组|弄)"
    r"[\dA-Za-z一二三四五六七八九十号楼栋幢座室户单元组弄层-]{0,20})"
)
_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤"
    "花方俞任袁柳鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米"
    "贝明臧计伏成戴谈宋庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯"
    "管卢莫经房裘缪干解应宗丁宣贲邓郁单杭洪包诸左石崔吉钮龚程嵇邢裴陆荣翁荀羊惠甄曲封芮储靳汲段富巫乌焦巴弓牧隗山"
    "谷车侯宓蓬全郗班仰秋仲伊宫宁仇栾暴甘斜厉戎祖武符刘景詹束龙叶幸司韶黎薄印宿白怀蒲台从鄂索咸籍赖卓蔺屠蒙池乔阴"
    "胥能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍却璩桑桂濮牛寿通边扈燕冀浦尚农温别庄晏柴瞿阎充慕连茹习宦艾鱼容向古易"
    "慎戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东欧利师巩聂关荆肖付闫覃涂佟佘"
)
BEFORE_A_NAME = (
    *("姓名", "联系人", "投诉人", "来电人", "诉求人", "反映人", "举报人", "当事人"),
    *("患者", "死者", "伤者", "家属", "我叫", "本人叫", "名叫", "法人"),
)
"""Words that say that a person's name follows."""
_NAMED = re.compile(
    rf"(?P<word>(?:{'|'.join(BEFORE_A_NAME)})"
    r"[为是:： ]{0,3})"
    rf"(?P<name>(?:欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|[{_SURNAMES}])[\u4e00-\u9fa5]{{1,2}})"
    r"(?=$|[\s，,。；;、！!？?(（〔\d]|电话|手机|身份证|男|女|住|家住)"
)
_HINT = re.compile(
    rf"\d\d\d|@|\d组|[{_PLATE_PLACE}](?i:[A-Z])|"
    + "|".join((*BEFORE_A_NAME, *BUILDINGS, "单元", *BEFORE_A_HOME, *_BEFORE_AN_ACCOUNT))
)
"""Without any of these no pattern above can be found: most texts are passed by in one look."""
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def mask_personal(text: str, names: Iterable[str | None] = ()) -> str:
    """`text` with identity cards, phones, bank cards, plates, households, names and e-mail masked.

    `names` are those of a ticket's name column; each disappears wherever it is written. Full-width
    digits must have been normalised before. Masking twice changes nothing more.
    """
    text = _without_names(text, names)
    return _masked(text) if _HINT.search(text) else text


def _masked(text: str) -> str:
    """Every pattern in its turn."""
    text = _MAIL.sub("〔邮箱〕", text)
    text = _ID_CARD.sub(lambda m: "〔身份证〕" if _is_id_card(m) else m.group(), text)
    text = _OLD_ID_CARD.sub(lambda m: "〔身份证〕" if _says_id(_before(m)) else m.group(), text)
    text = _ACCOUNT.sub(lambda m: f"{m['word']}〔银行卡〕" if _digits(m["number"]) >= 12 else m.group(), text)
    text = _MOBILE.sub(lambda m: m.group() if _is_reference(m) else "〔电话〕", text)
    text = _LANDLINE.sub(lambda m: m.group() if _is_reference(m) else "〔电话〕", text)
    text = _LOCAL.sub(r"\g<word>〔电话〕", text)
    text = _CARD.sub(lambda m: "〔银行卡〕" if _is_bank_card(m) else m.group(), text)
    text = _PLATE.sub("〔车牌〕", text)
    text = _LIVES.sub(r"\g<word>〔门牌〕", text)
    text = _HOUSEHOLD.sub(lambda m: "〔门牌〕" if _HOUSEHOLD_DEEP.search(m.group()) else m.group(), text)
    return _NAMED.sub(r"\g<word>〔姓名〕", text)


NAMED = frozenset({Medium.HOTLINE, Medium.MAILBOX, Medium.MESSAGE, Medium.SITE_ERROR, Medium.MANUAL})
"""Where the author is a citizen who wrote to the government, and not an account that publishes."""


def mask_said(text: str, medium: str, author: str | None) -> str:
    """A signal's words for a page or a message: in a ticket its author's name is masked too."""
    return mask_personal(text, (author,) if medium in NAMED else ())


def headline(title: str, body: str, medium: str, author: str | None, most: int) -> str:
    """What a signal is called: its title, else the first `most` characters of its body. Masked before it is cut: a
    number cut in two is known no more, and its first half would be shown."""
    return mask_said(title, medium, author) if title else mask_said(body, medium, author)[:most]


def mask_name(name: str | None) -> str | None:
    """A person's name for a page: the family name stays, 王小明 → 王**; a mask stays what it is."""
    if not name or name in MASKS:
        return name
    return name[0] + "*" * min(len(name) - 1, 3) if len(name) > 1 else "*"


def _without_names(text: str, names: Iterable[str | None]) -> str:
    """Names of two characters and more; 王某, 匿名 and the like name nobody."""
    for name in names:
        if name and 2 <= len(name) <= 30 and not _NOBODY.search(name):
            text = text.replace(name, "〔姓名〕")
    return text


_NOBODY = re.compile(r"匿名|某|先生|女士|市民|网友|群众|用户|\*|〔|^\d+$|^[\W_]+$")


def _before(found: re.Match[str]) -> str:
    return found.string[max(0, found.start() - _WORD_BEFORE) : found.start()]


def _is_reference(found: re.Match[str]) -> bool:
    """Does a word just before say that this is a case's number and nobody's telephone?"""
    return _AFTER_NUMBERED.search(_before(found)) is not None


def _says_id(before: str) -> bool:
    return "身份证" in before[-12:] or "证件号" in before[-12:]


def _is_id_card(found: re.Match[str]) -> bool:
    """GB 11643: the last character checks the others; after 身份证 a slip of the pen is masked too."""
    plain = re.sub(r"[ -]", "", found.group()).upper()
    total = sum(int(digit) * weight for digit, weight in zip(plain, _ID_WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == plain[-1] or _says_id(_before(found))


def _digits(text: str) -> int:
    return sum(char.isdigit() for char in text)


def _is_bank_card(found: re.Match[str]) -> bool:
    return _luhn(found.group()) and not _is_reference(found)


def _luhn(digits: str) -> bool:
    """The check digit of bank cards (ISO/IEC 7812), 16 to 19 digits."""
    row = [int(d) for d in digits if d.isdigit()][::-1]
    doubled = (sum(divmod(2 * d, 10)) for d in row[1::2])
    return 16 <= len(row) <= 19 and (sum(row[::2]) + sum(doubled)) % 10 == 0
