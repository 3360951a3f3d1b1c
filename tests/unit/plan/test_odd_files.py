"""Files that are not as they should be: a sentence that names what is wrong, and never a traceback."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from bot.mesh.kube_api import VIRTUAL_SERVICE
from bot.offline.manifests import VERSIONS
from tests.unit.plan.shop import planned, refused, run

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts:
  - reviews
  http:
  - route:
    - destination:
        host: reviews
        subset: v1
"""
NINE = ", ".join(["*{0}"] * 9)
BOMB = "a: &a [1, 2, 3]\n" + "".join(
    f"{name}: &{name} [{NINE.format(before)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def words(folder: Path, text: str | bytes, service: str = "reviews") -> tuple[str, ...]:
    path = folder / "odd.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return ("--file", str(path), "--service", service, "--baseline", "v1", "--candidate", "v2")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &a [*a]\n---\n" + PLAIN, "line 1 holds itself by an alias"),
        (PLAIN + "  loop: &loop {again: *loop}\n", "line 13 holds itself by an alias"),
        (PLAIN + "        subset: v2\n", "line 13: the key subset stands twice in one mapping"),
        (PLAIN.replace("spec:", "spec:\n  ? [a, b]\n  : c"), "found unhashable key"),
        (PLAIN + "\0", "is not YAML at line 13: it holds the character U+0000"),
        ("[" * 5000, "lie too deep in each other"),
        (PLAIN.encode("utf-16"), "is not UTF-8 text"),
        (PLAIN.replace("name: reviews", "name: {{ .Release.Name }}"), "is not YAML at line 4"),
        (PLAIN.replace("name: reviews", "name: !!python/object/apply:os.system [id]"), "is not YAML at line 4"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path: Path, text: str | bytes, told: str) -> None:
    result = run(*words(tmp_path, text))
    assert (result.exit_code, told in result.stderr) == (2, True), result.stderr


def test_aliases_that_stand_for_millions_of_values_are_not_followed(tmp_path: Path) -> None:
    began = time.process_time()
    result = run(*words(tmp_path, BOMB + "---\n" + PLAIN))
    assert (result.exit_code, "its aliases stand for " in result.stderr) == (2, True)
    assert time.process_time() - began < 60, "following them takes minutes"


@pytest.mark.parametrize(
    ("old", "new", "code", "told"),
    [
        ("apiVersion: networking.istio.io/v1\n", "", "UNSUPPORTED_KIND", "has no apiVersion; known are networking"),
        ("istio.io/v1", "istio.io/v2", "UNSUPPORTED_KIND", "has apiVersion networking.istio.io/v2; known are"),
        ("subset: v1", "subset: v1\n      weight: '100'", "WEIGHTS_SUM", "is '100'; weights are whole numbers"),
        ("subset: v1", "subset: v1\n      weight: 100.0", "WEIGHTS_SUM", "is 100.0; weights are whole numbers"),
        ("destination:\n        host: reviews\n        subset: v1", "weight: 100", "NO_ROUTE", "lead to nobody"),
    ],
)
def test_what_cannot_be_planned_with_is_refused(tmp_path: Path, old: str, new: str, code: str, told: str) -> None:
    found = refused(*words(tmp_path, PLAIN.replace(old, new)))
    assert (found[0], told in found[1]) == (code, True), found


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_every_version_of_istios_group_is_read(tmp_path: Path, version: str) -> None:
    text = PLAIN.replace("networking.istio.io/v1", version)
    assert len(planned(*words(tmp_path, text))["stages"]) == 4
    assert {f"{VIRTUAL_SERVICE.group}/{each}" for each in VIRTUAL_SERVICE.versions} == VERSIONS


def test_a_service_by_its_full_name_is_the_same_service(tmp_path: Path) -> None:
    short, full = (
        planned(*words(tmp_path, PLAIN, service)) for service in ("reviews", "reviews.default.svc.cluster.local")
    )
    assert [each["objects"] for each in short["stages"]] == [each["objects"] for each in full["stages"]]


@pytest.mark.parametrize("option", ["--service", "--baseline", "--candidate"])
def test_a_word_that_is_empty_is_named(tmp_path: Path, option: str) -> None:
    given = words(tmp_path, PLAIN)
    result = run(*given, option, " ")
    assert (result.exit_code, f"{option} is empty." in result.stderr) == (2, True)


def test_connections_are_switched_at_once_and_carry_no_preview(tmp_path: Path) -> None:
    text = PLAIN.replace("http:", "tcp:")
    found = planned(*words(tmp_path, text), "--strategy", "blue-green")
    assert [each["split"] for each in found["stages"]] == [
        {"weights": {"v1": 100, "v2": 0}, "matches": [], "mirror": None},
        {"weights": {"v1": 0, "v2": 100}, "matches": [], "mirror": None},
    ]
    code, _ = refused(*words(tmp_path, text), "--strategy", "blue-green", "--match", "header:x-p=1")
    assert code == "UNSUPPORTED_KIND"


def test_a_shadow_takes_several_percents_under_either_name(tmp_path: Path) -> None:
    given = (*words(tmp_path, PLAIN), "--strategy", "shadow")
    mirrored, steps = planned(*given, "--mirror", "1,10,50"), planned(*given, "--steps", "1,10,50")
    assert [each["split"] for each in mirrored["stages"]] == [each["split"] for each in steps["stages"]]


def test_a_method_in_lower_case_that_no_request_has_is_refused(tmp_path: Path) -> None:
    code, text = refused(*words(tmp_path, PLAIN), "--strategy", "ab", "--match", "method=get")
    assert (code, "GET, not get" in text) == ("BAD_INPUT", True)
