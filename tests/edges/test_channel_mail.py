"""Mail: a real server with TLS and passwords, and one that misbehaves; what is a yes, a no, a perhaps."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.channels import build
from connectors.channels.mail import Mail, _handed, written
from connectors.ports import Delivery, Message, Outcome, Refused
from models.core.addressing import mailbox
from support import certificates
from support.kits import NOON, message, several
from support.ports import free_port
from support.smtp import CLOSE, DRIP, HANG, PASSWORD, USER, Post, Rude

WANG = "wang@example.gov.cn"
INJECTIONS = [
    "标题\r\nBcc: everybody@example.com",
    "标题\n\nX: y",
    "=?utf-8?q?=0D=0ABcc:_everybody@example.com?=",
    "\u2028Bcc: x@example.com\x00\x0b",
]


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(the authority's certificate, the server's keystore)."""
    return certificates.make(tmp_path_factory.mktemp("mail"))


@pytest.fixture(scope="module")
def post(trust: tuple[Path, Path]) -> Iterator[Post]:
    with Post(trust[1]) as running:
        yield running


def mail(post: Post | Rude | int, ca: Path | None = None, **changes: Any) -> Mail:
    secrets = {"${NONE}": "", "${MAIL}": PASSWORD, "file:ca.pem": ca.read_text() if ca else ""}
    port = post if isinstance(post, int) else post.port
    given_: dict[str, Any] = {"id": "post", "type": "mail", "host": "127.0.0.1", "port": port}
    given_ |= {"sender": "huiying@linjiang.gov.cn", "timeout_s": 5}
    if ca is not None:
        given_ |= {"username": USER, "password": "${MAIL}", "ca": "file:ca.pem"}
    made = build(given_ | changes, secrets.__getitem__, lambda: NOON)
    assert isinstance(made, Mail)
    return made


def plain(server: Rude, **changes: Any) -> Mail:
    return mail(server, tls="none", **changes)


def sent(post: Post, ca: Path, one: Message) -> Any:
    assert mail(post, ca).send(one).outcome is Outcome.ACCEPTED
    return post.letters[-1]


def letter(one: Message) -> Any:
    """The letter of a message as any mail program reads it."""
    from email import message_from_bytes, policy

    raw = written(one, WANG, "huiying@linjiang.gov.cn", "回应", NOON)
    return message_from_bytes(raw, policy=policy.default)


# ── what arrives ──


def test_a_letter_goes_over_a_sealed_line_to_whom_it_is_for(post: Post, trust: tuple[Path, Path]) -> None:
    taken = sent(post, trust[0], message(WANG, ack_url="https://b.example/a/token"))
    assert (taken.sender, taken.recipients, taken.sealed) == ("huiying@linjiang.gov.cn", [WANG], True)
    head = taken.letter
    assert head["Subject"] == "【橙 · II 级 重大】化工园区爆燃 · 舆-2026-0012 首次发布 75%"
    assert (str(head["From"]), str(head["To"])) == (
        "回应 <huiying@linjiang.gov.cn>",
        "王带班（市政府办公室） <wang@example.gov.cn>",
    )
    assert head["Auto-Submitted"] == "auto-generated"
    assert head["Date"] == "Sat, 21 Nov 2026 04:00:00 +0000"
    text, html = taken.part("plain"), taken.part("html")
    for words in ("死亡 10 人", "还剩 1 小时 14 分", "国办发〔2016〕80号", "舆-2026-0012 首次发布 75%"):
        assert words in text, words
        assert words in html, words
    assert "https://b.example/a/token" in text
    assert '<a href="https://b.example/a/token">' in html


def test_the_receipt_is_what_the_server_calls_the_letter(post: Post, trust: tuple[Path, Path]) -> None:
    assert mail(post, trust[0]).send(message(WANG)) == Delivery(
        Outcome.ACCEPTED, "post: 250", receipt="2.0.0 queued as 4711"
    )


def test_a_sealed_line_from_the_first_byte_works_too(trust: tuple[Path, Path]) -> None:
    with Post(trust[1], tls="tls") as post:
        assert mail(post, trust[0], tls="tls").send(message(WANG)).outcome is Outcome.ACCEPTED
        assert len(post.letters) == 1


def test_letters_of_one_incident_hang_together_and_a_resend_is_the_same_letter() -> None:
    first, again = letter(message(WANG)), letter(message(WANG, attempt=2))
    other = letter(message(WANG, incident={"id": "2026-0099", "title": "另一起"}))
    assert first["Message-ID"] == again["Message-ID"] == "<al-7@linjiang.gov.cn>"
    assert first["References"] == first["In-Reply-To"] == again["References"] != other["References"]
    assert "第 2 次发送，与前次为同一提醒" in again.get_body(("plain",)).get_content()


def test_several_alerts_are_one_letter_with_a_line_for_each() -> None:
    text = letter(several(20)).get_body(("plain",)).get_content()
    assert text.count("舆-2026-01") == 19
    assert letter(several(20))["Subject"].endswith("（另 19 条）")


def test_each_incident_of_a_letter_has_one_link_of_its_own() -> None:
    link = "https://b.example/a/"
    one = several(5)
    others = [other | {"ack_url": f"{link}{n}"} for n, other in enumerate(one.payload["also"])]
    twice = [*others, others[0] | {"ack_url": f"{link}again"}, others[1] | {"ack_url": "javascript:alert(1)"}]
    made = letter(replace(one, payload=one.payload | {"ack_url": f"{link}first", "also": twice}))
    text, html = (made.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert re.findall(rf"{link}(\w+)", text) == ["first", "0", "1", "2", "3"]
    assert "签收 舆-2026-0100 首次发布 50%：" in text
    assert html.count("<a href=") == 6
    assert "javascript:" not in text + html


def test_a_notice_without_an_incident_is_a_letter_of_its_own() -> None:
    told = Message("al-9", "值守通知 接班", WANG, "接班", "请接班", {"title": "接班", "reason": "请接班"})
    made = letter(told)
    assert (made["Subject"], made["References"]) == ("接班 · 值守通知 接班", None)


@pytest.mark.parametrize("words", INJECTIONS)
def test_nothing_from_outside_becomes_a_header(words: str) -> None:
    incident = {"id": f"1{words}", "title": words, "grade": "II"}
    who = {"person": "wang", "name": words, "unit": words}
    made = letter(message(WANG, incident=incident, recipient=who, alert_id=words, ref=words))
    assert set(made.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
        "X-Auto-Response-Suppress", "List-Id", "MIME-Version", "Content-Type",
    }  # fmt: skip
    assert made["To"].addresses[0].addr_spec == WANG
    assert len(made["To"].addresses) == 1


def test_html_from_outside_is_words() -> None:
    evil = "<script>alert(1)</script><img src=x onerror=y><a href='http://evil.example'>点这里</a>"
    made = letter(
        message(WANG, reason=evil, incident={"id": "1", "title": evil, "url": 'http://b.example/"><b>'})
    )
    html = made.get_body(("html",)).get_content()
    assert "<script" not in html
    assert "<img" not in html
    assert "<a href='http://evil" not in html
    assert "&lt;script&gt;" in html
    assert 'href="http://b.example/&quot;&gt;&lt;b&gt;"' in html


def test_a_long_text_says_where_it_was_cut() -> None:
    made = letter(message(WANG, reason="长" * 30_000))
    text = made.get_body(("plain",)).get_content()
    assert "截断，全文见页面" in text


@pytest.mark.parametrize(
    "address",
    ["", "wang", "a@b@c d", "wang@x.cn\r\nRCPT TO:<b@x.cn>", "a@x.cn,b@x.cn", "王 <a@x.cn>", "<a@x.cn>", "@x.cn",
     "a@", "a b@x.cn", "王@x.cn", "a@x..cn", "a@" + "长" * 80 + ".cn"],
)  # fmt: skip
def test_what_is_no_mailbox_is_refused_before_any_conversation(address: str) -> None:
    done = mail(free_port(), tls="none").send(message(address))
    assert done.outcome is Outcome.REFUSED
    assert "邮箱" in done.reason


def test_a_domain_in_chinese_is_written_as_the_net_has_it() -> None:
    assert mailbox(" zhiban@临江.政务.cn ") == "zhiban@xn--miq684e.xn--zfr164b.cn"


@given(st.text(max_size=40))
def test_no_address_ever_holds_more_than_one_mailbox(address: str) -> None:
    try:
        found = mailbox(address)
    except ValueError:
        return
    assert found.isascii()
    assert found.count("@") == 1
    assert not set(found) & set(' \r\n\t,;<>()"\\:')


# ── what the other side does ──


@pytest.mark.parametrize("word", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."])
def test_a_passing_no_at_any_word_is_tried_again(word: str) -> None:
    manners = {word: "451 4.7.1 greylisted, come back"} | ({"HELO": "451 no"} if word == "EHLO" else {})
    with Rude(**manners) as server:
        done = plain(server).send(message(WANG))
    assert done.outcome is Outcome.RETRY
    assert "451" in done.reason


@pytest.mark.parametrize("word", ["CONNECT", "MAIL", "RCPT", "DATA", "."])
def test_a_lasting_no_at_any_word_is_refused_with_its_words(word: str) -> None:
    with Rude(**{word: "550 5.1.1 查无此人"}) as server:
        done = plain(server).send(message(WANG))
    assert done.outcome is Outcome.REFUSED
    assert "550 5.1.1 查无此人" in done.reason


@pytest.mark.parametrize("word", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("how", [CLOSE, HANG])
def test_a_line_that_breaks_before_the_letter_went_out_is_tried_again(word: str, how: str) -> None:
    with Rude(**{word: how}) as server:
        done = plain(server, timeout_s=0.3).send(message(WANG))
    assert done.outcome is Outcome.RETRY


@pytest.mark.parametrize("how", [CLOSE, HANG, DRIP, "what?", "199 hm"])
def test_a_line_that_breaks_after_the_letter_went_out_may_have_delivered_it(how: str) -> None:
    with Rude(**{".": how}) as server:
        done = plain(server, timeout_s=0.3).send(message(WANG))
    assert done.outcome is Outcome.UNKNOWN


def test_a_server_that_drips_is_left_in_time() -> None:
    with Rude(CONNECT=DRIP) as server:
        assert plain(server, timeout_s=0.3).send(message(WANG)).outcome is Outcome.RETRY


def test_whatever_happens_at_parting_the_letter_was_taken() -> None:
    with Rude(QUIT=CLOSE) as server:
        assert plain(server).send(message(WANG)).outcome is Outcome.ACCEPTED


def test_a_server_that_is_not_there_is_tried_again() -> None:
    assert mail(free_port(), tls="none").send(message(WANG)).outcome is Outcome.RETRY


def test_a_name_that_does_not_resolve_is_tried_again() -> None:
    assert mail(25, tls="none", host="nobody.invalid").send(message(WANG)).outcome is Outcome.RETRY


def test_nothing_is_accepted_without_the_servers_own_250() -> None:
    with Rude() as server:
        one = plain(server, timeout_s=0.2)

        @settings(max_examples=40, deadline=None)
        @given(st.text(alphabet="0125 -a\r\n", max_size=8))
        def accepts_only_a_yes(answer: str) -> None:
            server.manners["."] = answer
            done = one.send(message(WANG))
            yes = any(line[:3] in ("250", "251", "252") for line in answer.splitlines())
            assert yes or done.outcome is not Outcome.ACCEPTED

        accepts_only_a_yes()


def test_one_refused_recipient_is_no_word_about_the_next(post: Post, trust: tuple[Path, Path]) -> None:
    post.keeper.refused["gone@example.gov.cn"] = "550 5.1.1 no such user"
    one = mail(post, trust[0])
    assert one.send(message("gone@example.gov.cn")).outcome is Outcome.REFUSED
    assert one.send(message(WANG)).outcome is Outcome.ACCEPTED


def test_a_line_that_begins_with_a_dot_ends_no_letter(post: Post, trust: tuple[Path, Path]) -> None:
    one, raw = mail(post, trust[0]), b"Subject: x\r\n\r\n.\r\n..two\r\n.end\r\n"
    done = one._talk(lambda line, out: _handed(line, one.sender, WANG, raw, out))
    assert done.outcome is Outcome.ACCEPTED
    assert post.letters[-1].raw == raw


def test_a_letter_too_large_for_the_server_is_refused_before_it_is_sent(trust: tuple[Path, Path]) -> None:
    with Post(trust[1], size=2000) as post:
        done = mail(post, trust[0]).send(replace(several(100), address=WANG))
    assert done.outcome is Outcome.REFUSED
    assert "服务器最多收 2000 字节" in done.reason
    assert post.letters == []


# ── keys and passwords ──


def test_a_server_whose_certificate_does_not_hold_gets_nothing(post: Post) -> None:
    before = len(post.letters)
    done = mail(post, None, username=USER, password="${MAIL}").send(message(WANG))
    assert done.outcome is Outcome.RETRY
    assert "证书不可信" in done.reason
    assert len(post.letters) == before


def test_a_server_that_offers_no_encryption_gets_nothing() -> None:
    with Rude() as server:
        done = mail(server).send(message(WANG))
        assert done.outcome is Outcome.REFUSED
        assert not any(line.upper().startswith(("MAIL", "AUTH")) for line in server.said)


def test_a_wrong_password_is_refused_with_the_way_out(post: Post, trust: tuple[Path, Path]) -> None:
    one = mail(post, trust[0])
    one.password = "wrong"
    done = one.send(message(WANG))
    assert done.outcome is Outcome.REFUSED
    assert "授权码" in done.reason


def test_a_greeting_tries_the_whole_way_in_and_sends_nothing(post: Post, trust: tuple[Path, Path]) -> None:
    before = len(post.letters)
    one = mail(post, trust[0])
    assert one.greet() is None
    one.password = "wrong"
    assert "授权码" in str(one.greet())
    assert "证书不可信" in str(mail(post).greet())
    assert "未能送上服务器" in str(mail(free_port(), tls="none").greet())
    assert len(post.letters) == before


def test_a_password_never_goes_in_the_clear() -> None:
    with pytest.raises(Refused, match="starttls"):
        mail(25, tls="none", username=USER, password="${MAIL}")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"host": ""}, "host"), ({"sender": "nobody"}, "邮箱"), ({"tls": "ssl"}, "starttls"), ({"port": 0}, "port"),
     ({"password": "${NONE}", "username": "x"}, "password")],
)  # fmt: skip
def test_wrong_settings_say_what_to_mend(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        mail(25, **wrong)


def test_an_authority_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "ca.pem"
    wrong.write_text("not a certificate")
    with pytest.raises(Refused, match="'ca' is no certificate"):
        mail(25, wrong)


def test_the_password_is_in_no_log_no_repr_and_no_reason(
    post: Post, trust: tuple[Path, Path], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    one = mail(post, trust[0])
    reasons = [one.send(message(WANG)).reason, one.send(message("gone@example.gov.cn")).reason]
    one.password = PASSWORD + "!"
    reasons.append(one.send(message(WANG)).reason)
    told = "\n".join([repr(one), str(one), *reasons, caplog.text, *capfd.readouterr()])
    assert PASSWORD not in told
    assert "cmVoZWFyc2Fs" not in told  # the password as base64 begins so


def test_many_threads_send_through_one_mailbox(trust: tuple[Path, Path]) -> None:
    with Post(trust[1]) as post:
        one = mail(post, trust[0])
        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(lambda _: one.send(message(WANG)).outcome, range(24)))
        assert outcomes == [Outcome.ACCEPTED] * 24
        assert len(post.letters) == 24
