"""The command: what it prints, writes and refuses, and what it does not import."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bot.offline import asked
from bot.profiles import Profile
from strategies.plan import Approve, Spec, StrategyName
from tests.patience import PATIENCE
from tests.unit.plan.shop import MANIFESTS, RULE, SHAPES, Shape, copied, planned, refused, run

if TYPE_CHECKING:
    from pathlib import Path

REVIEWS = SHAPES["windows"].words
ROUTE = "  - route: [{destination: {host: reviews, subset: v1}}]"


def spoilt(folder: Path, old: str, new: str) -> tuple[str, ...]:
    """The command's words for the shape with one thing replaced."""
    words = copied(SHAPES["windows"], folder)
    path = folder / "windows.yaml"
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new).encode())
    return words


def test_a_table_names_the_route_the_stages_the_diffs_and_one_sentence_of_advice() -> None:
    shown = run(*SHAPES["rule beside"].words, "--match", "header:x-beta=1").stdout
    assert "canary of reviews.default.svc.cluster.local, v1 -> v2, on default/reviews http" in shown
    assert "header:x-beta=1" in shown
    assert "Stage 1 against the file:" in shown
    assert "Stage 4 against stage 3:" in shown
    assert "+      weight: 95" not in shown
    assert "from about 12,000 requests" in " ".join(shown.split())


def test_a_stage_that_changes_nothing_says_so() -> None:
    shown = run(*REVIEWS, "--hold", "0,5m,5m,5m").stdout
    assert "The first stage is not held" in shown
    assert run(*REVIEWS, "--strategy", "phased", "--steps", "100").stdout.count("against") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--strategy", "shadow"), "side_effects: none or isolated"),
        (("--mirror", "5"), "side_effects: none or isolated"),
        (("--strategy", "blue-green"), "Everybody switches at once"),
        (("--strategy", "ab", "--match", "query:beta=1", "--steps", "1"), "Nobody outside the match meets v2"),
        (("--steps", "0.5,100", "--hold", "1h"), "about 20,000 requests an hour"),
        (
            ("--steps", "100"),
            "At 100 % the gates get their 100 requests within 10m only from about 600 requests an hour",
        ),
    ],
)
def test_the_advice_fits_the_plan(words: tuple[str, ...], told: str) -> None:
    assert told in planned(*REVIEWS, *words)["advice"]


def test_a_table_shows_what_stands_beside_the_weights() -> None:
    shown = " ".join(
        run(*REVIEWS, "--strategy", "ab", "--match", "uri^=/b", "--steps", "1", "--mirror", "2").stdout.split()
    )
    assert "1 % of" in shown
    assert "copies of 2 %" in shown


def test_a_cookie_that_keeps_people_is_shown_and_refused_where_no_shares_grow() -> None:
    first, *_, last = planned(*REVIEWS, "--sticky")["stages"]
    assert (first["split"]["sticky"], "sticky" in last["split"]) == ("cookie", False)
    assert "Set-Cookie: sluice-reviews=v2; Path=/" in first["diff"]
    assert "each person kept" in " ".join(run(*REVIEWS, "--sticky").stdout.split())
    assert refused(*REVIEWS, "--strategy", "blue-green", "--sticky")[0] == "BAD_INPUT"


def test_each_stage_has_its_hold_its_gates_and_its_end() -> None:
    first, second = planned(*REVIEWS, "--steps", "from 50 by 50 every 15m to 100", "--strategy", "phased")["stages"]
    assert [each["hold"] for each in (first, second)] == ["15m", "15m"]
    assert first["gates"][-1] == {"approval": 1}
    assert [each.get("metric") for each in second["gates"]] == ["errors", "latency_p95"]
    assert first["ends"] < second["ends"]


def test_each_step_may_have_a_hold_of_its_own() -> None:
    found = planned(*REVIEWS, "--steps", "5,50,100", "--hold", "10m,1h,0s")
    assert [each["hold"] for each in found["stages"]] == ["10m", "1h", "0s"]


def test_standard_input_is_read() -> None:
    words = [word if word != str(SHAPES["windows"].path) else "-" for word in REVIEWS]
    result = run(*words, "--format", "json", stdin=SHAPES["windows"].path.read_bytes())
    assert (result.exit_code, "a/stdin" in result.stdout) == (0, True)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--file", "-", "--write"), "--write needs a file"),
        (("--file", "-", "--destination-rule", "-"), "Only one of"),
        (("--file", "/nowhere.yaml"), "/nowhere.yaml: No such file"),
        (("--file", str(MANIFESTS)), "Is a directory"),
        (("--hold", "soon"), "--hold: 'soon' is not a length of time"),
        (("--strategy", "big-bang"), "big-bang"),
        (("--write", "--stage", "9"), "the plan has 4 stages"),
        (("--stage", "0"), "--stage"),
    ],
)
def test_input_that_cannot_be_used_ends_with_2_and_says_why(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    result = run(*copied(SHAPES["windows"], tmp_path), *words)
    assert result.exit_code == 2
    assert why in " ".join(result.stderr.replace("│", " ").split())
    assert (tmp_path / "windows.yaml").read_bytes() == SHAPES["windows"].path.read_bytes()


def test_a_refusal_is_told_to_people_with_its_reason() -> None:
    result = run(*REVIEWS, "--steps", "50")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "The last step is 50 %, not 100 %." in result.stderr
    assert "(BAD_STEPS)" in result.stderr


def test_a_refused_plan_writes_nothing(tmp_path: Path) -> None:
    result = run(*copied(SHAPES["windows"], tmp_path), "--steps", "50", "--write")
    assert result.exit_code == 3
    assert (tmp_path / "windows.yaml").read_bytes() == SHAPES["windows"].path.read_bytes()


def test_a_folder_that_cannot_be_written_ends_with_2(tmp_path: Path) -> None:
    words = copied(SHAPES["windows"], tmp_path)
    name = "x" * 250 + ".yaml"
    (tmp_path / "windows.yaml").rename(tmp_path / name)
    result = run(*(str(tmp_path / name) if word.endswith("windows.yaml") else word for word in words), "--write")
    assert (result.exit_code, "cannot be written" in result.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_link_is_written_through_and_keeps_the_files_mode(tmp_path: Path) -> None:
    words = copied(SHAPES["windows"], tmp_path)
    real, link = tmp_path / "windows.yaml", tmp_path / "link.yaml"
    link.symlink_to(real)
    real.chmod(0o640)
    assert run(*(str(link) if word == str(real) else word for word in words), "--write").exit_code == 0
    assert (link.is_symlink(), real.stat().st_mode & 0o777) == (True, 0o640)
    assert b"weight: 5" in real.read_bytes()


def test_one_file_given_twice_is_one_file() -> None:
    words = SHAPES["colours"].words
    twice, once = planned(*words, "--destination-rule", str(SHAPES["colours"].path)), planned(*words)
    assert [each["diff"] for each in twice["stages"]] == [each["diff"] for each in once["stages"]]
    assert twice["rollback"] == once["rollback"]


def test_a_subset_that_no_given_rule_shows_is_told_beside_the_plan() -> None:
    assert "subset v2 is taken to exist" in run(*REVIEWS, "--format", "json").stderr
    assert run(*SHAPES["rule beside"].words, "--format", "json").stderr == ""


def test_a_file_that_is_no_yaml_ends_with_2_and_its_line(tmp_path: Path) -> None:
    result = run(*spoilt(tmp_path, "hosts: [reviews]", "hosts: [reviews"))
    assert (result.exit_code, "is not YAML at line" in result.stderr) == (2, True)


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = copied(SHAPES["windows"], tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copymode", full)
    result = run(*words, "--write")
    assert (result.exit_code, "No space left on device" in result.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["windows.yaml"]


def test_a_destination_behind_a_merge_key_is_refused(tmp_path: Path) -> None:
    text = SHAPES["windows"].path.read_bytes().decode().replace("\r\n", "\n")
    merged = text.replace(ROUTE, "  - <<: {route: [{destination: {host: reviews, subset: v1}}]}")
    (tmp_path / "a.yaml").write_text(merged)
    code, why = refused(*Shape(str(tmp_path / "a.yaml"), "reviews").words)
    assert (code, "takes route elsewhere" in why) == ("UNSUPPORTED_KIND", True)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("networking.istio.io/v1", "gateway.networking.k8s.io/v1", "UNSUPPORTED_KIND"),
        ("VirtualService", "Gateway", "NO_ROUTE"),
        ("subset: v1}}]", "subset: v1}, weight: 60}]", "WEIGHTS_SUM"),
        (", subset: v1", "", "NO_SUBSET"),
        ("route: [", "route: &all [", ""),
        (
            "metadata: {name: reviews}",
            "metadata: {name: reviews, ownerReferences: [{kind: R, controller: true}]}",
            "FOREIGN_OWNER",
        ),
        ("route: [{destination: {host: reviews, subset: v1}}]", "delegate: {name: x}", "DELEGATE"),
    ],
)
def test_a_spoilt_file_is_refused_by_name(tmp_path: Path, old: str, new: str, code: str) -> None:
    words = spoilt(tmp_path, old, new)
    if code:
        assert refused(*words)[0] == code
    else:
        assert planned(*words)["refused"] is None


def test_a_route_behind_an_anchor_is_refused_rather_than_edited_twice(tmp_path: Path) -> None:
    text = SHAPES["windows"].path.read_bytes().decode().replace("\r\n", "\n")
    twice = text.replace(ROUTE, f"{ROUTE.replace('[', '&r [', 1)}\n    name: a\n  - route: *r\n    name: b")
    (tmp_path / "a.yaml").write_text(twice)
    code, why = refused(*Shape(str(tmp_path / "a.yaml"), "reviews", more=("--route", "b")).words)
    assert (code, "anchor" in why) == ("UNSUPPORTED_KIND", True)


def test_a_subset_without_a_label_of_the_version_is_not_copied(tmp_path: Path) -> None:
    words = copied(SHAPES["rule beside"], tmp_path)
    rule = tmp_path / "rule.yaml"
    rule.write_text(RULE.read_text().replace("labels: {version: v1}", "labels: {app: reviews}"))
    code, why = refused(*words)
    assert (code, "add the subset of v2" in why) == ("NO_SUBSET", True)
    rule.write_text(
        RULE.read_text().replace("{name: reviews}", "{name: reviews, ownerReferences: [{controller: true}]}")
    )
    rule.write_text(RULE.read_text().replace("name: reviews", "name: reviews\n  ownerReferences: [{controller: true}]"))
    assert refused(*words)[0] == "FOREIGN_OWNER"


def test_services_of_two_namespaces_are_told_apart(tmp_path: Path) -> None:
    text = SHAPES["windows"].path.read_bytes().decode().replace("\r\n", "\n")
    homes = (text.replace("{name: reviews}", f"{{name: reviews, namespace: {home}}}") for home in ("shop", "other"))
    (tmp_path / "a.yaml").write_text("\n---\n".join(homes))
    words = Shape(str(tmp_path / "a.yaml"), "reviews").words
    assert refused(*words)[0] == "AMBIGUOUS_ROUTE"
    (first, *_) = planned(*words, "--namespace", "other")["stages"]
    assert first["objects"][0]["metadata"] == {"name": "reviews", "namespace": "other"}


def test_a_route_name_that_two_objects_have_is_refused(tmp_path: Path) -> None:
    text = SHAPES["windows"].path.read_bytes().decode().replace("\r\n", "\n").replace("timeout: 5s", "name: main")
    (tmp_path / "a.yaml").write_text(f"{text}\n---\n{text.replace('{name: reviews}', '{name: other}')}")
    code, why = refused(*Shape(str(tmp_path / "a.yaml"), "reviews", more=("--route", "main")).words)
    assert (code, "default/other" in why) == ("AMBIGUOUS_ROUTE", True)


def test_what_is_usual_is_what_a_profile_that_says_nothing_says() -> None:
    profile = Profile(service="reviews", namespace="shop")
    spec = asked.spec(asked.Asked(StrategyName.CANARY, "reviews", "v1", "v2"))
    assert isinstance(spec, Spec)
    assert (spec.steps, spec.hold, spec.min_requests) == (profile.steps, profile.hold, profile.min_requests)
    assert (spec.gates, spec.approve) == (profile.gates(), Approve.EVERY)


def test_a_plan_of_a_file_imports_neither_the_cluster_nor_the_judges_libraries() -> None:
    heavy = {"kubernetes", "scipy", "numpy", "slack_sdk", "sqlmodel", "matplotlib"}
    script = (
        "import sys; from bot.cli import app; app(sys.argv[1:], standalone_mode=False); "
        f"sys.stderr.write(' '.join({heavy} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script, "plan", *SHAPES["rule beside"].words, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, "")
