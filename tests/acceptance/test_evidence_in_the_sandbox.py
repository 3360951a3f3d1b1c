"""Gates that add up evidence, on the real bot: harm is proven, and neither too little nor a shared incident is."""

import json
import re
import sys
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
        sandbox.post("/api/command", user="carol", text=f"/release rollback {sandbox.newest()}")
        sandbox.until(lambda: not sandbox.asked(), "the rollback")
    sandbox.post("/api/knobs", version="v2", error_rate=0)
    sandbox.post("/api/shop", rate=100, dependency=0)
    sandbox.profile()


def started(sandbox: Sandbox, share: int, **changes: Any) -> None:
    """A release at its first stage, judged by odds."""
    sandbox.profile(**{**WEIGHED, "steps": [share, 100], **changes})
    sandbox.post("/api/command", user="alice", text="/release start reviews v2")
    sandbox.until(lambda: sandbox.asked() == share, "the first stage")


def told(sandbox: Sandbox) -> str:
    return json.dumps(sandbox.messages(), ensure_ascii=False)


def failures(sandbox: Sandbox) -> int:
    """What callers got of failures so far; no end of them once v2 is given up."""
    total: int = sandbox.get("/api/state")["mesh"]["total"]["failed"]
    return total if sandbox.asked() else sys.maxsize


def compared(sandbox: Sandbox) -> Any:
    """Requests to v2 in the looks that saw both versions fail often."""
    often = [look for look in sandbox.looks() if fails_often(look["baseline"]) and fails_often(look["candidate"])]
    return sum(look["candidate"]["requests"] for look in often)


def fails_often(arm: dict[str, Any]) -> bool:
    return bool(arm["requests"]) and arm["errors"] > arm["requests"] / 10


def test_two_percent_of_failures_are_rolled_back_with_the_sentence_and_the_picture(weighed: Sandbox) -> None:
    weighed.post("/api/shop", rate=200)
    weighed.post("/api/knobs", version="v2", error_rate=0.02)
    started(weighed, 50, hold="120s")
    weighed.until(lambda: "rolled back" in weighed.headline(), "the rollback")
    weighed.until(lambda: "minus v1" in told(weighed), "the picture")
    text = told(weighed)
    assert "surely worse than the allowed +0.1 pp (odds " in text
    assert "A good release is rolled back by mistake at most once in 100." in text


# Before the incident: where failures come in bursts, nobody can tell how much more is needed. By chance a look has no
# request to one of the versions, and can tell nothing, once in a hundred thousand.
def test_a_few_requests_a_second_hold_and_say_how_long_it_needs(weighed: Sandbox) -> None:
    weighed.post("/api/shop", rate=4)
    started(weighed, 50, look="5s", hold="5s", deadline="25s", at_deadline="hold", min_requests=1000)
    weighed.until(lambda: "held at the deadline" in told(weighed), "the deadline")
    time = r"\(about [^)]+ at this rate\)"
    needed = rf"held at the deadline: requests: [0-9]{{3}} more {time}; errors: [1-9][0-9,]* more requests {time}"
    assert re.search(needed, told(weighed))
    assert weighed.asked() == 50


def test_a_dependency_that_fails_for_both_rolls_nothing_back(weighed: Sandbox) -> None:
    # By chance alone the two differ by as much as is allowed here less than once in a million.
    started(weighed, 50, hold="120s", metrics={"errors": {"allowed": "+20pp", "tolerated": "+40pp"}})
    before, ended = failures(weighed), told(weighed).count("rolled back")
    weighed.post("/api/shop", dependency=0.3)
    weighed.until(lambda: failures(weighed) > before + 600, "an incident of two thousand requests")
    weighed.until(lambda: compared(weighed) > 700 or not weighed.asked(), "looks at it")
    assert told(weighed).count("rolled back") == ended
    assert weighed.asked() == 50
