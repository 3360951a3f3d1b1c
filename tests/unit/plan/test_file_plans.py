"""Plans over files: what is edited is right, and what is not edited stays to the letter."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import pytest

from bot.mesh.documents import canonical
from bot.offline.manifests import read
from tests.unit.plan.shop import (
    BY_STRATEGY,
    MANIFESTS,
    MESH_AND_GATEWAY,
    SHAPES,
    STRATEGIES,
    Shape,
    copied,
    patched,
    planned,
    refused,
    run,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bot.mesh.documents import Document

EVERY = [(shape, strategy) for shape in SHAPES for strategy in STRATEGIES]


def words(shape: str, strategy: str) -> tuple[str, ...]:
    return ("--strategy", strategy, *BY_STRATEGY.get(strategy, ()), *SHAPES[shape].words)


def stages_of(shape: str, strategy: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = planned(*words(shape, strategy))["stages"]
    return found


def objects_in(folder: Path) -> list[str]:
    return [canonical(each.document) for path in folder.iterdir() for each in read("", path.read_bytes()).manifests]


def the_route(document: Document, name: str) -> Document:
    found: Document = next(each for each in document["spec"]["http"] if each.get("name") == name)
    return found


@pytest.mark.parametrize(("shape", "strategy"), EVERY)
def test_a_written_stage_holds_the_objects_that_were_shown(shape: str, strategy: str, tmp_path: Path) -> None:
    stage = stages_of(shape, strategy)[0]
    more = ("--strategy", strategy, *BY_STRATEGY.get(strategy, ()))
    result = run(*copied(SHAPES[shape], tmp_path), *more, "--write")
    assert result.exit_code == 0, result.output
    present = objects_in(tmp_path)
    assert all(canonical(each) in present for each in stage["objects"])


@pytest.mark.parametrize(("shape", "strategy"), EVERY)
def test_lines_that_need_not_change_stay_identical(shape: str, strategy: str, tmp_path: Path) -> None:
    files = copied(SHAPES[shape], tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    run(*files, "--strategy", strategy, *BY_STRATEGY.get(strategy, ()), "--write")
    for path, content in before.items():
        old, new = content.split(b"\n"), path.read_bytes().split(b"\n")
        matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
        lost = {
            old[n].decode().strip() for tag, a, b, _, _ in matcher.get_opcodes() if tag != "equal" for n in range(a, b)
        }
        assert lost <= SHAPES[shape].touched


@pytest.mark.parametrize(("shape", "strategy"), [each for each in EVERY if each[0] != "rule beside"])
def test_the_diff_of_a_stage_makes_the_file_that_is_written(shape: str, strategy: str, tmp_path: Path) -> None:
    stages = stages_of(shape, strategy)
    files = copied(SHAPES[shape], tmp_path)
    before = SHAPES[shape].path.read_bytes().decode()
    number = len(stages) - 1
    run(*files, "--strategy", strategy, *BY_STRATEGY.get(strategy, ()), "--write", "--stage", str(number))
    (path,) = tmp_path.iterdir()
    assert path.read_bytes().decode() == patched(before, stages[number - 1]["diff"])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_nothing_but_the_targeted_fields_changes_in_the_objects(strategy: str) -> None:
    plan = planned(*words("whole shop", strategy))
    (before, *_), fields = plan["rollback"]["objects"], ("route", "mirror", "mirrorPercentage")
    for stage in plan["stages"]:
        after = stage["objects"][0]
        kept = [each for each in after["spec"]["http"] if not each.get("name", "").startswith("sluice-")]
        for old, new in zip(before["spec"]["http"], kept, strict=True):
            assert [old.get(key) for key in old if key not in fields] == [new[key] for key in new if key not in fields]
        assert {**after, "spec": {**after["spec"], "http": 0}} == {**before, "spec": {**before["spec"], "http": 0}}


def test_a_canary_is_shown_with_its_matches_and_its_mirror() -> None:
    first, *_, last = stages_of("colours", "canary")
    assert first["split"] == {
        "weights": {"blue": 95, "green": 5},
        "matches": [{"header": "x-beta", "exact": "1", "to": "green"}],
        "mirror": {"to": "green", "percent": 20},
    }
    assert last["split"] == {"weights": {"blue": 0, "green": 100}, "matches": [], "mirror": None}
    assert first["objects"][0]["spec"]["http"][1]["mirrorPercentage"] == {"value": 20}


def test_a_port_goes_with_the_destination() -> None:
    inserted, main = stages_of("colours", "canary")[0]["objects"][0]["spec"]["http"]
    assert inserted["route"][0]["destination"]["port"] == main["mirror"]["port"] == {"number": 8080}


def test_a_missing_subset_is_added_as_the_baselines_is() -> None:
    stage = stages_of("whole shop", "canary")[0]
    rule = stage["objects"][1]
    old, new = rule["spec"]["subsets"]
    assert new == {"name": "v2", "labels": {"version": "v2"}, "trafficPolicy": old["trafficPolicy"]}
    assert "annotations" not in rule["metadata"]


def test_a_rule_in_a_file_of_its_own_is_edited_there() -> None:
    plan = planned(*words("rule beside", "canary"))
    assert [each["kind"] for each in plan["stages"][0]["objects"]] == ["VirtualService", "DestinationRule"]
    assert [each["kind"] for each in plan["rollback"]["objects"]] == ["VirtualService", "DestinationRule"]
    assert "rule.yaml" in plan["stages"][0]["diff"]


def test_a_shadow_leaves_the_file_as_it_was() -> None:
    last = stages_of("rule beside", "shadow")[-1]
    assert (last["diff"], len(last["objects"])) == ("", 1)


def test_half_a_percent_is_written_as_a_share_of_a_thousand() -> None:
    stage = planned(*SHAPES["windows"].words, "--steps", "0.5,100")["stages"][0]
    assert stage["split"]["weights"] == {"v1": 99.5, "v2": 0.5}
    assert [each["weight"] for each in stage["objects"][0]["spec"]["http"][0]["route"]] == [995, 5]


def test_a_date_is_text_as_the_server_reads_it(tmp_path: Path) -> None:
    text = SHAPES["windows"].path.read_text().replace("{name: reviews}", "{name: reviews, labels: {since: 2024-05-01}}")
    (tmp_path / "a.yaml").write_text(text)
    (document,) = planned(*Shape(str(tmp_path / "a.yaml"), "reviews").words)["rollback"]["objects"]
    assert document["metadata"]["labels"] == {"since": "2024-05-01"}


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        (Shape("own_mirror.yaml", "httpbin", more=("--strategy", "shadow")), "FOREIGN_MIRROR"),
        (Shape("header_before_default.yaml", "reviews", "v3"), "AMBIGUOUS_ROUTE"),
        (Shape("header_before_default.yaml", "reviews", more=("--route", "#7")), "NO_ROUTE"),
        (Shape("header_before_default.yaml", "ratings"), "NO_ROUTE"),
        (Shape("header_before_default.yaml", "reviews", more=("--namespace", "x", "--route", "a")), "NO_ROUTE"),
        (Shape("whole_shop.yaml", "ratings", "v9", more=("--route", "beta")), "NO_SUBSET"),
        (Shape("windows.yaml", "reviews", "v9"), "FOREIGN_DESTINATION"),
        (Shape("windows.yaml", "reviews", "v2", "v1"), "BASELINE_NOT_FULL"),
        (Shape("windows.yaml", "reviews", "v1", "v1"), "SAME_VERSION"),
        (Shape("windows.yaml", "reviews", more=("--steps", "50,5")), "BAD_STEPS"),
        (Shape("windows.yaml", "reviews", more=("--steps", "soon")), "BAD_STEPS"),
        (Shape("windows.yaml", "reviews", more=("--hold", "1m,2m")), "BAD_STEPS"),
        (Shape("windows.yaml", "reviews", more=("--match", "x-beta=1")), "BAD_INPUT"),
        (Shape("windows.yaml", "reviews", more=("--mirror", "lots")), "BAD_INPUT"),
        (Shape("windows.yaml", "reviews", more=("--mirror", "120")), "BAD_INPUT"),
        (Shape("windows.yaml", "reviews", more=("--strategy", "ab")), "BAD_INPUT"),
        (Shape("windows.yaml", "reviews", more=("--strategy", "blue-green", "--steps", "5,100")), "BAD_STEPS"),
        (Shape("windows.yaml", "reviews", more=("--strategy", "shadow", "--steps", "5", "--mirror", "5")), "BAD_STEPS"),
        (Shape("rule.yaml", "reviews"), "NO_ROUTE"),
    ],
)
def test_what_a_start_would_refuse_is_refused_with_its_reason(shape: Shape, why: str) -> None:
    assert refused(*shape.words)[0] == why


def test_a_route_that_leads_elsewhere_is_refused_with_where_the_file_leads() -> None:
    assert "The file's routes lead to reviews.default.svc" in refused(*Shape("windows.yaml", "ratings").words)[1]


def test_every_named_route_moves_in_the_same_stage() -> None:
    words = Shape("mesh_and_gateway.yaml", "reviews", more=(*MESH_AND_GATEWAY, "--route", "tcp:#0")).words
    mesh, gateway = planned(*words)["stages"][0]["objects"]
    routes = [mesh["spec"]["http"][0], mesh["spec"]["tcp"][0], gateway["spec"]["http"][0]]
    assert [[each["weight"] for each in route["route"]] for route in routes] == [[95, 5]] * 3


def test_a_route_of_connections_carries_no_match() -> None:
    words = Shape("mesh_and_gateway.yaml", "reviews", more=("--route", "tcp:#0", "--match", "header:x-beta=1")).words
    code, text = refused(*words)
    assert (code, "shop/reviews tcp[0] is a tcp route, which cannot carry matches" in text) == (
        "UNSUPPORTED_KIND",
        True,
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("main", "--route reviews/main --route reviews-gateway/main"),
        ("#7", "its routes are: reviews/main, tcp:#0, reviews-gateway/main"),
    ],
)
def test_a_name_in_doubt_is_refused_with_names_that_are_not(name: str, told: str) -> None:
    assert told in refused(*Shape("mesh_and_gateway.yaml", "reviews", more=("--route", name)).words)[1]


def test_two_routes_are_refused_with_both_positions_and_how_to_name_one() -> None:
    _, text = refused(*Shape("header_before_default.yaml", "reviews").words)
    assert 'default/reviews http[0], default/reviews http[1] "everybody"' in text
    assert "with --route" in text


def test_manifest_files_are_all_planned_here() -> None:
    used = {shape.file for shape in SHAPES.values()} | {"rule.yaml", "own_mirror.yaml"}
    assert used == {path.name for path in MANIFESTS.iterdir()}
