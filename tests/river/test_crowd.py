"""What a group of signals says that no single one does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flows.judging.sorting import Cluster
from models.core.facts import Facts
from models.core.vocabulary import Medium
from support.duty import MIDNIGHT, MINUTE


def cluster(*said: tuple[Medium, float, Facts]) -> Cluster:
    made = Cluster("k", "某桥要塌了", MIDNIGHT, MIDNIGHT)
    for minute, (medium, rumour, facts) in enumerate(said):
        made.take(facts, (), medium, MIDNIGHT + minute * MINUTE, rumour)
    return made


POST = (Medium.WEIBO, 0.8, Facts())


def test_a_rumour_told_three_times_is_hearsay_and_twice_is_not() -> None:
    assert cluster(POST, POST, POST).hearsay
    assert not cluster(POST, POST).hearsay


@pytest.mark.parametrize("medium", [Medium.NEWS, Medium.OFFICIAL])
def test_what_a_medium_reports_is_no_hearsay(medium: Medium) -> None:
    assert not cluster(POST, POST, POST, (medium, 0.1, Facts())).hearsay


def test_posts_that_state_harm_are_no_hearsay_however_alarmed_they_sound() -> None:
    assert not cluster(*[(Medium.WEIBO, 0.9, Facts(deaths=1))] * 5).hearsay


def test_a_rumour_of_yesterday_no_longer_counts() -> None:
    made = cluster(POST, POST)
    made.take(Facts(), (), Medium.WEIBO, MIDNIGHT + timedelta(days=2), 0.8)
    assert not made.hearsay


def test_tickets_count_apart_from_posts() -> None:
    made = cluster(*[(Medium.HOTLINE, 0.9, Facts())] * 5)
    assert (len(made.tickets), made.hearsay) == (5, False)
