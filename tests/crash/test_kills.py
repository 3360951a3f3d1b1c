"""A kill at each commit and each remote call of a canary changes nothing that anybody relies on."""

import os
from pathlib import Path

import pytest

from tests.crash.campaign import campaign
from tests.crash.stories import EVERY, STORIES, Story

TOLD = EVERY if os.environ.get("SLUICE_CRASH") == "all" else STORIES


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("story", TOLD, ids=lambda story: story.name)
def test_a_kill_at_any_point_ends_as_if_there_had_been_none(
    story: Story, template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = campaign(story, template)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.wrong() == []
