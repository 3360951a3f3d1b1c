"""Several strategies as one plan over a file, by the words of the command or by the service's profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.plan.shop import SHAPES, copied, planned, refused, run

if TYPE_CHECKING:
    from pathlib import Path

REVIEWS = SHAPES["rule beside"].words
INTERNAL = ("--match", "header:x-user-group=internal")
WHOLE = ("--pipeline", "shadow -> ab -> canary", *INTERNAL, "--mirror", "20", "--steps", "5,100")
PROFILE = """
service: reviews
namespace: default
routes: [{virtual_service: reviews, http: ["#0"]}]
pipeline: [{strategy: shadow, mirror: [10, 50], hold: 30m}, {strategy: ab, match: header:x-user-group=internal}, canary]
steps: [1, 100]
side_effects: none
quorum: 2
"""


def written(folder: Path, text: str = PROFILE) -> tuple[str, str]:
    path = folder / "reviews.yaml"
    path.write_text(text, encoding="utf-8")
    return "--profile", str(path)


def test_every_stage_of_every_part_is_planned_in_order() -> None:
    found = planned(*REVIEWS, *WHOLE)
    assert [(each["n"], each["part"]) for each in found["stages"]] == [
        *((1, "shadow"), (2, "ab"), (3, "canary"), (4, "canary")),
    ]
    shadow, ab, first, last = (each["split"] for each in found["stages"])
    assert shadow == {"weights": {"v1": 100, "v2": 0}, "matches": [], "mirror": {"to": "v2", "percent": 20}}
    match = {"header": "x-user-group", "exact": "internal", "to": "v2"}
    assert ab == {"weights": {"v1": 100, "v2": 0}, "matches": [match], "mirror": None}
    assert (first["weights"], last["weights"]) == ({"v1": 95, "v2": 5}, {"v1": 0, "v2": 100})
    assert all({"approval": 1} in each["gates"] for each in found["stages"][:-1])
    assert found["refused"] is None


def test_a_stage_of_a_later_part_carries_nothing_of_an_earlier_one() -> None:
    http = [stage["objects"][0]["spec"]["http"] for stage in planned(*REVIEWS, *WHOLE)["stages"]]
    assert ["mirror" in routes[-1] for routes in http] == [True, False, False, False]
    assert [len(routes) for routes in http] == [1, 2, 1, 1]


def test_the_profile_says_parts_steps_gates_and_routes_as_for_a_start(tmp_path: Path) -> None:
    found = planned(*REVIEWS, *written(tmp_path))
    told = [(each["part"], each["hold"], each["split"]["mirror"]) for each in found["stages"]]
    assert told == [
        ("shadow", "30m", {"to": "v2", "percent": 10}),
        ("shadow", "30m", {"to": "v2", "percent": 50}),
        ("ab", "10m", None),
        ("canary", "10m", None),
        ("canary", "10m", None),
    ]
    assert {"approval": 2} in found["stages"][0]["gates"]


def test_words_of_the_command_go_before_the_profile(tmp_path: Path) -> None:
    profile = written(tmp_path)
    found = planned(*REVIEWS, *profile, "--strategy", "canary", "--steps", "25,100", "--hold", "1h")
    assert [each["split"]["weights"]["v2"] for each in found["stages"]] == [25, 100]
    assert {each["hold"] for each in found["stages"]} == {"1h"}
    code, text = refused(*REVIEWS, *profile, "--steps", "25,100")
    assert (code, "Name one strategy to give steps" in text) == ("BAD_INPUT", True)
    assert refused(*REVIEWS, *written(tmp_path, PROFILE.replace("side_effects: none", "")))[0] == "SIDE_EFFECTS"


def test_the_table_has_a_column_of_parts() -> None:
    shown = run(*REVIEWS, *WHOLE).stdout
    assert shown.startswith("shadow -> ab -> canary of reviews.default.svc.cluster.local, v1 -> v2")
    assert "Part" in shown.split("Stage 1")[0]


def test_write_puts_one_stage_of_a_pipeline_into_the_file(tmp_path: Path) -> None:
    words = copied(SHAPES["windows"], tmp_path)
    before = (tmp_path / "windows.yaml").read_bytes().decode().split("\r\n")
    assert run(*words, *WHOLE, "--write", "--stage", "2").exit_code == 0
    after = (tmp_path / "windows.yaml").read_bytes().decode().split("\r\n")
    rest = iter(after)
    assert all(line in rest for line in before), "every line stays, in its order"
    assert any("x-user-group" in line for line in after)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--pipeline", "shadow"), "BAD_INPUT", "one part and no pipeline"),
        (("--pipeline", "shadow -> bule-green"), "BAD_INPUT", "'bule-green' is no strategy"),
        (("--pipeline", "canary -> phased"), "BAD_INPUT", "canary comes last"),
        (("--pipeline", "shadow -> ab -> canary"), "BAD_INPUT", "An ab test needs the group"),
        (("--pipeline", "shadow -> canary", *INTERNAL), "BAD_INPUT", "--match belongs to ab and blue-green"),
        (("--pipeline", "ab -> canary", *INTERNAL, "--mirror", "5"), "BAD_INPUT", "--mirror belongs to a shadow"),
        (("--pipeline", "ab -> blue-green", *INTERNAL, "--sticky"), "BAD_INPUT", "--sticky belongs to canary"),
        (("--pipeline", "shadow -> canary", "--hold", "1m,2m"), "BAD_INPUT", "--hold is one length of time"),
        (("--pipeline", "shadow -> canary", "--steps", "5,3"), "BAD_STEPS", "does not rise"),
    ],
)
def test_words_that_no_part_can_take_are_refused(words: tuple[str, ...], code: str, told: str) -> None:
    assert refused(*REVIEWS, *words)[0] == code
    assert told in refused(*REVIEWS, *words)[1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (PROFILE.replace("service: reviews", "service: ratings"), "is the profile of ratings"),
        (PROFILE.replace("quorum: 2", "quorums: 2"), "did you mean quorum?"),
        ("- a list", "must be a mapping"),
    ],
)
def test_a_profile_that_cannot_be_used_is_named(tmp_path: Path, text: str, told: str) -> None:
    result = run(*REVIEWS, *written(tmp_path, text))
    assert (result.exit_code, told in result.stderr) == (2, True)


@pytest.mark.parametrize(
    "words", [("--strategy", "ab"), ("--profile", "/nowhere.yaml")], ids=lambda words: words[0].strip("-")
)
def test_a_pipeline_goes_alone(words: tuple[str, ...]) -> None:
    result = run(*REVIEWS, "--pipeline", "shadow -> canary", *words)
    assert (result.exit_code, "--pipeline goes alone" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--hold", "1m,2m"), "With a profile --hold is one length of time"),
        (("--steps", "x"), "'x' is no step"),
        (("--mirror", "x"), "is no percentage such as 20, or 1,10,50"),
        (("--match", "header"), "header"),
    ],
)
def test_words_beside_a_profile_are_read_as_carefully(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    assert told in refused(*REVIEWS, *written(tmp_path), "--strategy", "ab", *words)[1]


def test_a_profile_that_is_not_there_or_is_no_text_is_named(tmp_path: Path) -> None:
    assert "No such file" in run(*REVIEWS, "--profile", str(tmp_path / "none.yaml")).stderr
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe")
    assert "is not UTF-8 text" in run(*REVIEWS, "--profile", str(tmp_path / "binary.yaml")).stderr
