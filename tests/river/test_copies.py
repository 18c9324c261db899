"""The same word seen twice: once as a signal, and a copy is known as a copy."""

from __future__ import annotations

from support.river_site import Site

BODY = "江东化工园区澜港公司一车间发生爆炸，已致3人死亡，多人受伤，联系电话13800138000。"


def test_an_item_seen_at_every_poll_is_one_signal(site: Site) -> None:
    site.say("news", "江东化工园区澜港公司爆炸", BODY)
    site.until("00:05")
    site.say("news", "江东化工园区澜港公司爆炸已启动调查", "江东化工园区澜港公司爆炸事故调查组成立。")
    site.until("00:08")
    assert site.desk.board()["signals"]["total"] == 2


def test_a_reprint_is_linked_and_named_and_personal_data_is_masked(site: Site) -> None:
    site.say("news", "江东化工园区澜港公司爆炸", BODY)
    site.until("00:02")
    site.say("news", "江东化工園區澜港公司爆炸 ", BODY)
    site.until("00:04")
    (incident,) = site.desk.board()["incidents"]
    shown = site.desk.incident(incident["id"])
    assert shown is not None
    copy, original = shown["signals_list"]
    assert copy["link_reason"] == f"与线索 {original['id']} 文字相同(转载)"
    assert "13800138000" not in copy["body"]
    assert incident["signal_count"] == 2
