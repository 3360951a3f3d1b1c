"""One file per service: read again when changed, a broken one keeps the last good one and says so."""

import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.profiles import Profiles, WrongProfile, read, schema
from bot.surveys import NamedRoutes
from strategies.plan import Approve, Margin
from strategies.release import AtDeadline, NoAnswer, OnHarm
from strategies.terms import Need
from tests.mounts import Mount

SHORT = "service: reviews\nnamespace: shop\n"
LONG = """
service: reviews.shop.svc.cluster.local
namespace: shop
steps: [1, 10.5%, 100]
hold: 1h30m
look: 10s
approve: final
approvers: [U2, S2]
quorum: 2
no_answer: {after: 30m, then: roll_back}
metrics:
  errors: {limit: 0.1%, allowed: +0.1pp, tolerated: +0.5pp}
  latency_p99: {allowed: +10%, limit: 1.5s}
deadline: 20m
at_deadline: hold
on_harm: pause
soak: 0
"""


def lines(text: str) -> tuple[str, ...]:
    """What is wrong with this file."""
    with pytest.raises(WrongProfile) as caught:
        read("reviews.yaml", text)
    return caught.value.lines


def store(folder: Path, text: str, name: str = "reviews.yaml", second: int = 1) -> None:
    """Write a file that was changed at that second."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    os.utime(path, (second, second))


def test_service_and_namespace_are_enough() -> None:
    profile = read("reviews.yaml", SHORT)
    assert profile.steps == (Decimal(5), Decimal(25), Decimal(50), Decimal(100))
    assert (profile.hold, profile.approve, profile.on_harm) == (timedelta(minutes=10), Approve.EVERY, OnHarm.ROLL_BACK)
    assert profile.no_answer.then is NoAnswer.HOLD


def test_everything_is_read_in_peoples_words() -> None:
    profile = read("reviews.yaml", LONG)
    assert profile.steps == (Decimal(1), Decimal("10.5"), Decimal(100))
    assert (profile.hold, profile.look, profile.soak) == (timedelta(minutes=90), timedelta(seconds=10), timedelta(0))
    assert (profile.no_answer.after, profile.at_deadline) == (timedelta(minutes=30), AtDeadline.HOLD)
    errors, latency = profile.gates()
    assert (errors.unit, errors.limit, errors.allowed, errors.tolerated) == (
        "ratio",
        0.001,
        Margin(0.001),
        Margin(0.005),
    )
    assert (latency.unit, latency.limit, latency.allowed) == ("ms", 1500, Margin(0.1, relative=True))


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("stepz: [5, 100]", "stepz is not a key of this version; did you mean steps?"),
        ("zzz: 1", "zzz is not a key of this version; known are "),
        ("hold: soon", "hold='soon': 'soon' is not a length of time such as"),
        ("hold: 10", "hold=10: 10 has no unit; write a length of time such as"),
        ("steps: [5, many]", "steps.1='many': 'many' is not a percentage such as 5 or 0.5"),
        ("approve: sometimes", "approve='sometimes': should be 'every', 'final' or 'none'"),
        ("quorum: 0", "quorum=0: should be greater than or equal to 1"),
        ("metrics: {errrors: {limit: 1%}}", "metrics.errrors is not a metric; did you mean errors?"),
        ("metrics: {errors: {limit: 1}}", "metrics.errors"),
        ("metrics: {errors: {allowed: 1pp}}", "metrics.errors.allowed: '1pp' needs a + sign"),
        ("metrics: {errors: {}}", "metrics.errors"),
    ],
)
def test_a_wrong_field_is_named_with_its_value_and_what_is_allowed(added: str, said: str) -> None:
    (line,) = lines(f"{SHORT}{added}\n")
    assert line.startswith("reviews.yaml: ")
    assert said in line


def test_a_missing_field_is_named() -> None:
    assert lines("service: reviews\n") == ("reviews.yaml: namespace is missing",)


def test_every_wrong_field_is_named_at_once() -> None:
    assert len(lines(f"{SHORT}hold: soon\nquorum: 0\nstepz: 1\n")) == 3


@pytest.mark.parametrize(
    ("text", "said"), [("a: [", "is not YAML at line"), ("- 1", "must be a mapping"), ("", "must be")]
)
def test_what_is_no_mapping_is_no_profile(text: str, said: str) -> None:
    assert said in lines(text)[0]


def test_a_profile_is_found_by_its_short_or_full_name(tmp_path: Path) -> None:
    store(tmp_path, LONG)
    profiles = Profiles(tmp_path)
    assert profiles.services() == ("reviews",)
    assert profiles.find("reviews") == profiles.find("reviews.shop.svc.cluster.local") != None  # noqa: E711
    assert profiles.find("ratings") is None


def test_without_a_directory_there_are_no_profiles() -> None:
    assert Profiles(None).find("reviews") is None
    assert Profiles(None).troubles() == ()


def test_a_directory_that_is_none_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(WrongProfile, match="is not a directory; it names one with a YAML file per service"):
        Profiles(tmp_path / "none")


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    store(tmp_path, SHORT)
    profiles = Profiles(tmp_path)
    store(tmp_path, f"{SHORT}quorum: 3\n", second=2)
    found = profiles.find("reviews")
    assert found is not None
    assert found.quorum == 3


def test_a_broken_file_keeps_the_last_good_one_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store(tmp_path, f"{SHORT}quorum: 3\n")
    profiles = Profiles(tmp_path)
    store(tmp_path, f"{SHORT}quorum: none\n", second=2)
    found = profiles.find("reviews")
    assert found is not None
    assert found.quorum == 3
    assert "reviews.yaml: quorum='none'" in profiles.troubles()[0]
    assert "the profile read before stays in force" in caplog.text
    store(tmp_path, SHORT, second=3)
    assert profiles.troubles() == ()


def test_a_file_that_never_was_good_is_not_replaced_by_defaults(tmp_path: Path) -> None:
    store(tmp_path, f"{SHORT}quorum: none\n", name="other.yaml")
    profiles = Profiles(tmp_path)
    assert profiles.find("reviews") is None
    assert "quorum='none'" in profiles.broken("reviews")[0]
    assert profiles.broken("ratings") == ()


def test_a_file_that_is_taken_away_is_forgotten(tmp_path: Path) -> None:
    store(tmp_path, SHORT)
    profiles = Profiles(tmp_path)
    (tmp_path / "reviews.yaml").unlink()
    assert profiles.find("reviews") is None


def test_a_changed_config_map_is_read_again_where_the_kubelet_mounts_it(tmp_path: Path) -> None:
    mount = Mount(tmp_path / "profiles", {"reviews.yaml": SHORT, "ratings.yaml": SHORT.replace("reviews", "ratings")})
    profiles = Profiles(tmp_path / "profiles")
    assert profiles.services() == ("ratings", "reviews")
    mount.change({"reviews.yaml": f"{SHORT}quorum: 3\n", "details.yaml": SHORT.replace("reviews", "details")})
    found = profiles.find("reviews")
    assert found is not None
    assert found.quorum == 3
    assert (profiles.services(), profiles.troubles()) == (("details", "reviews"), ())


def test_a_config_map_that_breaks_a_profile_keeps_the_last_good_one(tmp_path: Path) -> None:
    mount = Mount(tmp_path / "profiles", {"reviews.yaml": f"{SHORT}quorum: 3\n"})
    profiles = Profiles(tmp_path / "profiles")
    mount.change({"reviews.yaml": f"{SHORT}quorum: none\n"})
    found = profiles.find("reviews")
    assert found is not None
    assert found.quorum == 3
    assert "reviews.yaml: quorum='none'" in profiles.troubles()[0]


def test_a_second_profile_of_one_service_is_named_and_not_used(tmp_path: Path) -> None:
    store(tmp_path, SHORT, name="a.yaml")
    store(tmp_path, f"{SHORT}quorum: 3\n", name="b.yml")
    profiles = Profiles(tmp_path)
    found = profiles.find("reviews")
    assert found is not None
    assert found.quorum == 1
    assert profiles.troubles() == ("b.yml: service reviews has another profile already; this file is not used",)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "reviews.yaml").write_bytes(b"\xff\xfe")
    assert "reviews.yaml: cannot be read" in Profiles(tmp_path).troubles()[0]


def test_routes_are_named_by_their_lists_and_objects() -> None:
    mesh = "{virtual_service: reviews, http: [main, api], tcp: ['#0']}"
    profile = read("reviews.yaml", f"{SHORT}routes: [{mesh}, {{delegate: edge/inner, tls: ['#0']}}]\n")
    assert [choice.named() for choice in profile.routes] == [
        NamedRoutes("reviews", http=("main", "api"), tcp=("#0",)),
        NamedRoutes("edge/inner", tls=("#0",), is_delegate=True),
    ]


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ("{http: [main]}", "needs virtual_service or delegate"),
        ("{virtual_service: a, delegate: b}", "and not both"),
        ("{virtual_service: a, htp: [main]}", "routes.0.htp is not a key of this version; did you mean http?"),
    ],
)
def test_a_choice_of_routes_names_one_object(choice: str, told: str) -> None:
    assert told in lines(f"{SHORT}routes: [{choice}]\n")[0]


def test_what_must_hold_before_the_start_is_read() -> None:
    text = "needs: [payments >= v3]\nstateful: true\nfirst_step_at_most: 2.5%\nstaging: https://x.example/{{version}}\n"
    terms = read("reviews.yaml", f"{SHORT}{text}").terms()
    assert (terms.needs, terms.stateful, terms.mixed_versions) == ((Need("payments", "v3"),), True, True)
    assert (terms.first_step_at_most, terms.staging) == (Decimal("2.5"), "https://x.example/{{version}}")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("needs: [payments > v3]", "is not a need such as payments >= v3"),
        ("needs: [payments >= blue]", "blue has no order"),
        ("staging: https://x.example/", "must contain {{version}}"),
        ("first_step_at_most: 0", "greater than 0"),
        ("stateful: maybe", "valid boolean"),
    ],
)
def test_what_must_hold_is_refused_where_it_says_nothing(line: str, said: str) -> None:
    assert said in lines(f"{SHORT}{line}\n")[0]


def test_the_schema_shows_its_defaults_as_a_profile_takes_them() -> None:
    defaults = {name: key.get("default") for name, key in schema()["properties"].items()}
    assert (defaults["hold"], defaults["no_answer"]) == ("10m", {"after": "2h", "then": "hold"})
    lengths = {name: value for name, value in defaults.items() if name in {"hold", "deadline", "soak"}}
    text = "".join(f"{name}: {value}\n" for name, value in lengths.items())
    assert read("reviews.yaml", f"{SHORT}{text}") == read("reviews.yaml", SHORT)
