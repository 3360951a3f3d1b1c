"""Gates that add up evidence, on the real bot: harm is proven, and neither too little nor a shared incident is."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.sandbox import Sandbox

WEIGHED = {"metrics": {"errors": {"allowed": "+0.1pp", "tolerated": "+0.5pp"}}, "approve": "none", "look": "1s"}


@pytest.fixture
def weighed(sandbox: Sandbox) -> Iterator[Sandbox]:
    """A healthy shop whose errors are weighed; as it was first afterwards."""
    yield sandbox
    if sandbox.asked():
        sandbox.post("/api/command", user="carol", text=f"/release rollback {newest(sandbox)}")
        sandbox.until(lambda: not sandbox.asked(), 20, "the rollback")
    sandbox.post("/api/knobs", version="v2", error_rate=0)
    sandbox.post("/api/shop", rate=100, dependency=0)
    sandbox.profile()


def started(sandbox: Sandbox, share: int, **changes: Any) -> None:
    """A release at its first stage, judged by odds."""
    sandbox.profile(**{**WEIGHED, "steps": [share, 100], **changes})
    sandbox.post("/api/command", user="alice", text="/release start reviews v2")
    sandbox.until(lambda: sandbox.asked() == share, 30, "the first stage")


def told(sandbox: Sandbox) -> str:
    return json.dumps(sandbox.messages(), ensure_ascii=False)


def newest(sandbox: Sandbox) -> str:
    return f"reviews-{max(int(number) for number in re.findall(r'reviews-([0-9]+)', told(sandbox)))}"


def test_two_percent_of_failures_are_rolled_back_with_the_sentence_and_the_picture(weighed: Sandbox) -> None:
    weighed.post("/api/shop", rate=200)
    weighed.post("/api/knobs", version="v2", error_rate=0.02)
    started(weighed, 50, hold="120s")
    weighed.until(lambda: "rolled back" in weighed.headline(), 90, "the rollback")
    weighed.until(lambda: "minus v1" in told(weighed), 15, "the picture")
    text = told(weighed)
    assert "surely worse than the allowed +0.1 pp (odds " in text
    assert "A good release is rolled back by mistake at most once in 100." in text


def test_a_dependency_that_fails_for_both_rolls_nothing_back(weighed: Sandbox) -> None:
    started(weighed, 50, hold="120s")
    before = told(weighed).count("rolled back")
    weighed.post("/api/shop", dependency=0.3)
    deadline = time.monotonic() + 25
    while time.monotonic() < deadline:
        assert told(weighed).count("rolled back") == before
        assert weighed.asked() == 50
        time.sleep(1)


def test_one_request_a_second_holds_and_says_how_long_it_needs(weighed: Sandbox) -> None:
    weighed.post("/api/shop", rate=1)
    started(weighed, 50, hold="3s", deadline="20s", at_deadline="hold")
    weighed.until(lambda: "can be ruled out after about" in told(weighed), 60, "the estimate")
    assert "at this rate" in told(weighed)
    assert weighed.asked() == 50
