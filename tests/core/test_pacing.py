"""Grouping and rates, decided by hand: who goes now, with what, and who waits for a channel."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.pacing import PRESSED, TOGETHER, Budget, Limit, Plan, Waiting, plan
from support.duty import HOUR, MIDNIGHT, MINUTE

SECOND = timedelta(seconds=1)
NONE: frozenset[int] = frozenset()


def waiting(
    name: str,
    person: str = "chen",
    *channels: str,
    step: bool = True,
    due: int = 5,
    bundle: str | None = None,
    refused: frozenset[int] = frozenset(),
) -> Waiting:
    contacts = tuple((channel, person) for channel in channels or ("hook",))
    rank = (0 if step else 1, MIDNIGHT + due * HOUR, 1, name)
    return Waiting(name, person, contacts, 0, refused, bundle, step, rank)


def used(count: int, per_minute: int = 20, ago: timedelta = 10 * SECOND) -> Budget:
    return Budget(per_minute, tuple(MIDNIGHT - ago for _ in range(count)))


def going(made: Plan) -> list[list[str]]:
    return [[one.id for one in group] for group in made.go]


def test_alerts_of_one_person_at_one_address_go_together_the_nearest_deadline_first() -> None:
    three = [waiting("late", due=9), waiting("soon", due=2), waiting("notice", step=False, due=0)]
    made = plan([*three, waiting("li's", "li", due=1)], {}, MIDNIGHT)
    assert going(made) == [["li's"], ["soon", "late", "notice"]]


def test_a_message_holds_no_more_than_is_good_for_it() -> None:
    many = [waiting(f"{n:03}") for n in range(45)]
    assert [len(group) for group in plan(many, {}, MIDNIGHT).go] == [TOGETHER, TOGETHER, 5]
    alone = plan(many, {}, MIDNIGHT, {"hook": Limit(together=1)})
    assert [len(group) for group in alone.go] == [1] * 45


def test_what_has_been_in_a_message_is_joined_by_nothing_new() -> None:
    again = [waiting("a", bundle="a"), waiting("b", bundle="a"), waiting("alone", bundle="alone")]
    made = plan([*again, waiting("new"), waiting("new too")], {}, MIDNIGHT)
    assert sorted(going(made)) == [["a", "b"], ["alone"], ["new", "new too"]]


def test_a_limit_lets_the_most_urgent_through_and_holds_the_rest_until_a_place_is_free() -> None:
    people = [waiting(f"to {n}", f"p{n}", "ding", due=n) for n in range(5)]
    made = plan(people, {"ding": used(17)}, MIDNIGHT)
    assert going(made) == [["to 0"], ["to 1"], ["to 2"]]
    assert made.held == {("ding", MIDNIGHT + 50 * SECOND): ["to 3", "to 4"]}


def test_a_quarter_of_the_minute_is_kept_for_deadlines() -> None:
    notices = [waiting(f"n{n}", f"p{n}", "ding", step=False) for n in range(20)]
    made = plan([*notices, waiting("step", "li", "ding")], {"ding": used(0)}, MIDNIGHT)
    assert going(made)[0] == ["step"]
    assert len(made.go) == 15
    assert plan([waiting("step", "li", "ding")], {"ding": used(19)}, MIDNIGHT).held == {}


def test_who_had_to_wait_gets_everything_in_the_next_message() -> None:
    many = [waiting(f"{n:03}", "chen", "ding") for n in range(PRESSED)]
    assert [len(group) for group in plan(many, {"ding": used(0)}, MIDNIGHT).go] == [PRESSED]


def test_a_deadline_that_would_wait_goes_to_the_next_contact_with_room() -> None:
    step, notice = waiting("step", "chen", "ding", "hook"), waiting("n", "chen", "ding", "hook", step=False)
    made = plan([step, notice], {"ding": used(20)}, MIDNIGHT)
    assert (going(made), made.turned) == ([["step"]], [("step", 1)])
    assert list(made.held.values()) == [["n"]]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (waiting("s", "chen", "ding"), "there is no other"),
        (waiting("s", "chen", "ding", "hook", refused=frozenset({1})), "the other has refused for good"),
        (waiting("s", "chen", "ding", "feishu"), "the other has no room either"),
    ],
)
def test_a_deadline_without_another_way_waits_for_the_first_free_place(other: Waiting, why: str) -> None:
    made = plan([other], {"ding": used(20), "feishu": used(100, 100)}, MIDNIGHT)
    assert (made.go, made.turned, list(made.held.values())) == ([], [], [["s"]]), why


def test_a_wait_of_seconds_is_no_reason_to_turn() -> None:
    budget = used(20, ago=55 * SECOND)
    made = plan([waiting("s", "chen", "ding", "hook")], {"ding": budget}, MIDNIGHT)
    assert (made.turned, list(made.held)) == ([], [("ding", MIDNIGHT + 5 * SECOND)])


def test_a_channel_that_asked_for_a_pause_is_left_alone_until_then() -> None:
    paused = Budget(None, (), MIDNIGHT + MINUTE)
    made = plan([waiting("n", "chen", "hook", step=False)], {"hook": paused}, MIDNIGHT)
    assert made.held == {("hook", MIDNIGHT + MINUTE): ["n"]}
    assert going(plan([waiting("n")], {"hook": paused}, MIDNIGHT + MINUTE)) == [["n"]]


PEOPLE, WAYS = st.sampled_from(["chen", "li", "zhao"]), st.sampled_from(["ding", "hook", "mail"])
CROWD = st.lists(
    st.tuples(PEOPLE, st.lists(WAYS, min_size=1, max_size=3, unique=True), st.booleans(), st.integers(0, 9)),
    max_size=60,
)


@given(CROWD, st.integers(0, 20), st.integers(1, 20))
def test_every_alert_goes_or_is_held_once_and_no_limit_is_passed(
    crowd: list[tuple[str, list[str], bool, int]], spent: int, per_minute: int
) -> None:
    alerts = [
        waiting(f"a{n}", person, *ways, step=step, due=due)
        for n, (person, ways, step, due) in enumerate(crowd)
    ]
    budget = used(min(spent, per_minute), per_minute)
    made = plan(alerts, {"ding": budget}, MIDNIGHT)
    gone = [one.id for group in made.go for one in group]
    held = [name for names in made.held.values() for name in names]
    assert sorted(gone + held) == sorted(one.id for one in alerts)
    assert len(made.budgets["ding"].used) <= per_minute
    assert len(made.budgets["ding"].used) - len(budget.used) == _by_ding(made)


def _by_ding(made: Plan) -> int:
    ways = dict(made.turned)
    return sum(group[0].contacts[ways.get(group[0].id, 0)][0] == "ding" for group in made.go)


PAUSED = {"ding": Budget(20, (), MIDNIGHT + 5 * MINUTE)}


def by_ways(name: str, *contacts: tuple[str, str], due: int = 5, refused: frozenset[int] = NONE) -> Waiting:
    """A deadline of chen's whose contacts stand as the roster had them when it was raised."""
    return Waiting(name, "chen", contacts, 0, refused, None, True, (0, MIDNIGHT + due * HOUR, 1, name))


def test_a_deadline_that_turns_goes_to_its_own_contact_not_to_the_one_of_an_older_roster() -> None:
    before = by_ways("before", ("ding", "group"), ("sms", "mistyped"), due=1)
    mended = by_ways("mended", ("ding", "group"), ("sms", "right"), due=2)
    made = plan([before, mended], PAUSED, MIDNIGHT)
    assert going(made) == [["before"], ["mended"]]
    assert made.turned == [("before", 1), ("mended", 1)]


def test_every_deadline_of_a_message_turns_though_the_first_one_turns_elsewhere() -> None:
    ways = (("ding", "group"), ("sms", "1"), ("mail", "2"))
    refused = by_ways("refused by sms", *ways, due=1, refused=frozenset({1}))
    made = plan([refused, by_ways("new", *ways, due=2)], PAUSED, MIDNIGHT)
    assert made.turned == [("refused by sms", 2), ("new", 1)]
    assert not made.held


def test_a_deadline_that_nobody_has_room_for_waits_for_the_first_that_has() -> None:
    full = used(20, ago=40 * SECOND)
    one = by_ways("step", ("ding", "group"), ("sms", "1"))
    made = plan([one], PAUSED | {"sms": full}, MIDNIGHT)
    assert made.held == {("ding", MIDNIGHT + 20 * SECOND): ["step"]}
