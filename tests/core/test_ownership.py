"""属地管理、分级负责、谁主管谁负责: who should own an incident, by place, topic and grade."""

from __future__ import annotations

from dataclasses import replace

from models.core.casework import Level
from models.core.ownership import Matter, resolve, speaks_for
from models.core.roster import Unit
from models.core.vocabulary import Grade

OFFICE = Unit("office", "市政府办公室", coordinates=True)
DISTRICT = Unit("binjiang", "滨江区政府", Level.COUNTY, places=("临江市滨江区",))
EAST = Unit("east", "东城区政府", Level.COUNTY, places=("临江市东城区",))
CITY = Unit("city", "临江市政府", Level.CITY, places=("临江市",))
GAS = Unit("gas", "市住建局", Level.CITY, places=("临江市",), topics=("燃气",))
FIRE = Unit("fire", "市应急局", Level.CITY, places=("临江市",), topics=("accident", "爆炸"))
DISTRICT_GAS = Unit("bj-gas", "滨江区住建局", Level.COUNTY, places=("临江市滨江区",), topics=("燃气",))
EVERYBODY = (OFFICE, CITY, DISTRICT, EAST, GAS, FIRE, DISTRICT_GAS)
HERE = Matter(("临江市滨江区望江路",), {}, "望江路积水", Grade.IV)


def test_a_local_matter_falls_to_the_place_s_own_government_and_not_its_superior() -> None:
    found = resolve(HERE, EVERYBODY)
    assert found.lead == "binjiang"
    assert "属地管理" in found.reasons[0]
    assert "N-001" in found.reasons[0]


def test_whoever_is_in_charge_of_the_topic_leads_nearest_to_the_ground() -> None:
    found = resolve(replace(HERE, text="望江路燃气泄漏"), EVERYBODY)
    assert found.lead == "bj-gas"
    assert "谁主管谁负责" in found.reasons[0]


def test_several_places_lift_it_to_the_superior_that_covers_them_all() -> None:
    places = ("临江市滨江区", "临江市东城区")
    found = resolve(replace(HERE, places=places), EVERYBODY)
    assert found.lead == "city"
    assert any("跨地方" in why for why in found.reasons)
    assert resolve(replace(HERE, places=places, text="两区燃气停供"), EVERYBODY).lead == "gas"


def test_several_departments_have_a_lead_and_speak_with_one_wording() -> None:
    found = resolve(
        Matter(("临江市滨江区",), {"accident": "事故灾难", "事故灾难": "事故灾难"}, "燃气爆炸", Grade.II),
        EVERYBODY,
    )
    assert found.lead == "fire"  # two of its topics are meant
    assert {"gas", "bj-gas"} & set(found.others)
    assert found.joint
    assert "主管事故灾难、爆炸" in found.reasons[0]
    assert any("S-014" in why for why in found.reasons)


def test_the_gravest_is_led_by_the_principal() -> None:
    found = resolve(replace(HERE, grade=Grade.I), EVERYBODY)
    assert found.principal
    assert any("主要负责人负领导责任" in why for why in found.reasons)
    assert not resolve(HERE, EVERYBODY).principal


def test_the_office_coordinates_and_never_leads() -> None:
    found = resolve(HERE, EVERYBODY)
    assert found.coordinator == "office"
    assert resolve(HERE, (OFFICE,)).lead is None


def test_nobody_fitting_is_said_with_the_way_out() -> None:
    found = resolve(replace(HERE, places=("外市某县",)), EVERYBODY)
    assert found.lead is None
    assert "roster.yaml" in found.reasons[0]
    assert resolve(HERE, ()).lead is None


def test_a_unit_that_names_neither_place_nor_topic_is_never_proposed() -> None:
    assert resolve(HERE, (Unit("plain", "某单位"),)).lead is None


def test_a_unit_speaks_for_itself_and_the_second_rung_for_anybody() -> None:
    assert speaks_for("gas", ("gas", "市住建局"), 0)
    assert not speaks_for("gas", ("fire", "市应急局"), 1)
    assert speaks_for("gas", (), 2)


def test_beside_a_department_stands_the_nearest_government_and_no_superior_of_its_own_line() -> None:
    found = resolve(replace(HERE, text="望江路燃气泄漏"), EVERYBODY)
    assert found.others == ("binjiang",)
