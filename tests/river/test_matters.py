"""What publications are compared with is read from the ledger once, and anew where something has touched it."""

from __future__ import annotations

import pytest

from flows.watching import matters
from flows.watching.matters import Matters
from support.river_site import Site


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The incidents whose words were read."""
    ids: list[str] = []
    behind = matters._matter

    def counted(conn, row):  # type: ignore[no-untyped-def]
        ids.append(row.id)
        return behind(conn, row)

    monkeypatch.setattr(matters, "_matter", counted)
    return ids


def known(site: Site, held: Matters) -> dict[str, str]:
    with site.house.store.read() as conn:
        return {one.id: one.reports for one in held.open(conn, site.house.time.now())}


def test_only_what_was_touched_is_read_again_and_what_closes_is_forgotten(
    site: Site, read: list[str]
) -> None:
    site.say("news", "江东化工园区发生爆炸", "21日零时许，江东化工园区一车间发生爆炸，已致12人死亡。")
    site.until("00:01")
    other = str(site.desk.act("open", "", {"title": "临江小学食堂腹泻", "grade": "II"}, "chen")["id"])
    held = Matters()
    first = known(site, held)
    (burst,) = first.keys() - {other}
    assert "江东化工园区发生爆炸" in first[burst]
    assert read == [burst, other]
    read.clear()
    assert known(site, held) == first
    assert read == []
    site.say("news", "江东化工园区爆炸已致13人死亡", "21日零时许，江东化工园区一车间发生爆炸，已致13人死亡。")
    site.until("00:02")
    assert "13人" in known(site, held)[burst]
    assert burst in read
    site.desk.act("merge", burst, {"into": other, "reason": "同一起"}, "li")
    assert known(site, held).keys() == {other}
