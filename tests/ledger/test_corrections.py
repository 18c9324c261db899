"""What officers change is kept, and can be learned from."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from flows.ingest import store as put
from flows.triage import triage
from flows.wiring import House
from models.classify.drift import stability_index
from models.core.signals import Batch, RawSignal
from models.core.vocabulary import Grade, Medium, OpinionKind
from models.ledger import acts, incidents, judgements
from support.sites import ENVIRON, write_site

TEXT = "青岚县一化工厂爆炸，造成5人死亡，20余人受伤，现场仍有人员被困"


def test_a_kind_that_an_officer_changed_comes_out_with_its_text(database_url: str, tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", database=database_url)
    with House.open(site, ENVIRON) as house:
        now = house.time.now()
        put(
            house,
            Batch((RawSignal("x", "a1", Medium.NEWS, TEXT, "", published_at=now - timedelta(hours=1)),)),
            "x",
        )
        triage(house)
        with house.store.read() as conn:
            assert list(judgements.corrected(conn)) == []
            (incident,) = [row.id for row in incidents.open_ones(conn)]
            counts = judgements.answers(conn, 100)
        with house.store.write() as conn:
            acts.set_grade(
                conn, now, incident, Grade.I, "li", "核实", house.rules_for, kind=OpinionKind.ERRONEOUS
            )
        with house.store.read() as conn:
            assert list(judgements.corrected(conn)) == [{"text": TEXT, "kind": "erroneous"}]
    assert sum(counts["sentiment"].values()) == 1
    assert stability_index(counts["sentiment"], counts["sentiment"]) is None
