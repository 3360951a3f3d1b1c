"""The tour's report: its keys are a contract."""

import json
import re
from typing import Any

from bot.cli.sandbox import TOURS as NAMED
from bot.sandbox.tour.names import ALL, NAMES
from bot.sandbox.tour.play import TOURS, stories
from bot.sandbox.tour.report import StageReport, StoryReport, TourReport

STORY_KEYS = {
    *("name", "release", "strategy", "end_phase", "fault_to_restored_s", "failed_requests", "pictures", "stages"),
}
STAGE_KEYS = {"n", "asked", "share", "requests", "verdict", "started", "ended", "approved_by"}


def a_tour(broken: str = "") -> TourReport:
    stage = StageReport(n=1, asked={"v1": 95, "v2": 5}, started="2026-01-01T00:00:00+00:00")
    return TourReport([StoryReport("canary", "canary", stages=[stage], broken=broken)], ["Slack"], 12.34)


def as_read(tour: TourReport) -> Any:
    return json.loads(json.dumps(tour.document()))


def test_a_tour_that_ended_as_told_has_the_contracts_keys_and_no_others() -> None:
    document = as_read(a_tour())
    (story,) = document["stories"]
    assert (document["ok"], document["seconds"], document["stand_ins"]) == (True, 12.3, ["Slack"])
    assert story.keys() == STORY_KEYS
    assert story["stages"][0].keys() == STAGE_KEYS


def test_a_broken_expectation_is_named_and_the_tour_is_not_ok() -> None:
    document = as_read(a_tour("v2 gets 5 %"))
    assert not document["ok"]
    assert document["stories"][0]["broken"] == "v2 gets 5 %"


def test_a_tour_without_a_story_is_not_ok() -> None:
    assert not TourReport().ok


def test_every_tour_that_has_a_name_can_be_played() -> None:
    assert (*TOURS, ALL) == NAMES
    assert len(stories(ALL)) == sum(len(stories(name)) for name in TOURS)


def test_the_commands_help_names_every_tour() -> None:
    assert tuple(re.findall(r"[a-z-]+", re.sub(r"\(.*?\)| or ", " ", NAMED))) == NAMES


def test_copies_and_matches_are_told_where_there_are_some() -> None:
    stage = StageReport(n=1, asked={"v1": 100, "v2": 0}, started="", mirror=20.0, mirrored=11)
    [told] = as_read(TourReport([StoryReport("shadow", "shadow", stages=[stage])]))["stories"]
    assert (told["stages"][0]["mirror"], told["stages"][0]["mirrored"]) == (20.0, 11)
    assert "matches" not in told["stages"][0]


def test_other_ways_in_are_told_where_there_are_some() -> None:
    stage = StageReport(n=1, asked={"v1": 50, "v2": 50}, started="", doors={"gateway": {"v1": 9, "v2": 11}})
    [told] = as_read(TourReport([StoryReport("routes", "canary", stages=[stage])]))["stories"]
    assert told["stages"][0]["doors"] == {"gateway": {"v1": 9, "v2": 11}}
