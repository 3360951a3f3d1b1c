"""What the guards are told: from caches at once, from neighbours before the first change."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.guarding import Guarding
from bot.ports import Objection
from bot.preflight import PATIENCE
from bot.profiles import Profile
from strategies.events import ReleaseRequested
from strategies.gates.past import MetricPast, Past, keep
from strategies.guards import Check, State
from strategies.plan import Margin, MetricGate, Plan, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.release import Phase, Rules, Waiver
from strategies.routing import Match, Mirror, Split
from strategies.terms import Need, Terms
from tests.builders import NOW, a_plan, a_release, a_stage, a_target, an_actor
from tests.fakes import FakeMesh, FakeMetrics, FakeStaging
from tests.mesh_documents import a_deployment, a_destination, a_rule, a_service, a_virtual_service
from tests.unit.bot.house import House

ADDRESS = "https://staging.example/{{version}}"


class Gate:
    """Guards in front of one house and a shop in memory."""

    def __init__(self, house: House) -> None:
        self.mesh, self.metrics, self.staging = FakeMesh.shop(), FakeMetrics(), FakeStaging()
        self.house = house
        self.guarding = Guarding(
            mesh=self.mesh,
            metrics=self.metrics,
            staging=self.staging,
            profiles=self,
            database=house.database,
            clock=house.clock,
        )

    def find(self, service: str) -> Profile | None:
        """No service has a profile here."""
        del service
        return None

    def payments(self, *weights: tuple[str, int]) -> None:
        """Another service, whose route sends these percents to these subsets."""
        destinations = [a_destination(subset, weight, "payments") for subset, weight in weights]
        self.mesh.put(a_virtual_service({"name": "main", "route": destinations}, name="payments"))
        self.mesh.put(a_rule(name="payments", host="payments"))
        self.mesh.put(a_service("payments"))

    def near(self, terms: Terms, plan: Plan | None = None, *, is_later: bool = False) -> dict[ReasonCode, Check]:
        """The answers from the caches."""
        rules = Rules(terms=terms)
        found = self.guarding.near(a_target(), plan or a_plan(), rules, is_later=is_later)
        return {each.rule: each for each in found}

    def refusal(self, terms: Terms, **changes: object) -> Refused | None:
        """Why a release by these terms may not begin."""
        release = replace(a_release(), rules=Rules(terms=terms))
        return self.guarding.refusal(replace(release, **changes))  # type: ignore[arg-type]


def test_a_needed_service_is_looked_up_in_its_route(house: House) -> None:
    gate, terms = Gate(house), Terms(needs=(Need("payments", "v2"),))
    assert "There is no service payments" in gate.near(terms)[ReasonCode.NEEDS].text
    gate.payments(("v1", 90), ("v2", 10))
    assert "payments serves v1 and v2 side by side" in gate.near(terms)[ReasonCode.NEEDS].text
    gate.payments(("v1", 0), ("v2", 100))
    assert gate.near(terms)[ReasonCode.NEEDS].state is State.HOLDS


def test_a_needed_service_that_is_being_released_is_not_there_yet(house: House) -> None:
    gate = Gate(house)
    gate.payments(("v2", 100))
    target = a_target("payments")
    house.engine.submit(ReleaseRequested("", "k", an_actor(), (target,), a_plan(service="payments"), Rules(), "C1"))
    found = gate.near(Terms(needs=(Need("payments", "v2"),)))[ReasonCode.NEEDS]
    assert "payments-1 is still moving it (preparing)." in found.text


def test_a_needed_service_that_only_lets_its_old_version_go_is_there(house: House) -> None:
    gate = Gate(house)
    gate.payments(("v2", 100))
    target = a_target("payments")
    house.engine.submit(ReleaseRequested("", "k", an_actor(), (target,), a_plan(service="payments"), Rules(), "C1"))
    house.save(replace(house.stored("payments-1"), phase=Phase.DECOMMISSIONING))
    assert gate.near(Terms(needs=(Need("payments", "v2"),)))[ReasonCode.NEEDS].state is State.HOLDS


def test_the_deployment_says_that_its_data_cannot_go_back(house: House) -> None:
    gate = Gate(house)
    for value, words in (("drops a column", "drops a column"), ("false", "")):
        document = a_deployment("v2")
        document["metadata"]["annotations"] = {"sluice/irreversible": value}
        gate.mesh.put(document)
        refused = gate.refusal(Terms())
        assert words in refused.text if refused else not words


def test_what_may_change_until_a_later_start_is_left_open(house: House) -> None:
    found = Gate(house).near(Terms(stateful=True, needs=(Need("payments", "v2"),)), is_later=True)
    assert found[ReasonCode.NEEDS].state is State.OPEN
    assert found[ReasonCode.STATEFUL].state is State.BROKEN


def test_staging_is_asked_before_the_first_change_and_not_every_few_seconds(house: House) -> None:
    gate, terms = Gate(house), Terms(staging=ADDRESS)
    refused = gate.refusal(terms)
    assert refused == Refused(ReasonCode.NOT_STAGED, "reviews v2 was not completed in staging.")
    gate.staging.versions.add("v2")
    house.clock.tick(seconds=5)
    assert gate.refusal(terms) == refused
    house.clock.tick(seconds=25)
    assert gate.refusal(terms) is None
    assert gate.staging.asked == [ADDRESS, ADDRESS]


def test_staging_that_does_not_answer_is_neither_yes_nor_no(house: House) -> None:
    gate, terms = Gate(house), Terms(staging=ADDRESS)
    gate.staging.trouble = "Staging at staging.example answers HTTP 500, neither 200 nor 404."
    refused = gate.refusal(terms)
    assert refused is not None
    assert refused.reason_code is ReasonCode.UNREACHABLE
    assert "HTTP 500" in refused.text
    waiver = Waiver(ReasonCode.NOT_STAGED, an_actor(), "by hand", NOW)
    assert gate.refusal(terms, waivers=(waiver,)) is None


def test_a_quiet_service_is_told_that_a_canary_cannot_tell(house: House) -> None:
    gate = Gate(house)
    gate.metrics.requests_per_hour = 40
    refused = gate.refusal(Terms())
    assert refused is not None
    assert refused.reason_code is ReasonCode.TOO_FEW_REQUESTS
    assert "bout 40 requests an hour" in refused.text


def test_a_busy_service_and_a_prometheus_without_figures_are_let_through(house: House) -> None:
    for rate in (360_000.0, None):
        gate = Gate(house)
        gate.metrics.requests_per_hour = rate
        assert gate.refusal(Terms(first_step_at_most=Decimal(5))) is None


WEIGHED = MetricGate("errors", "ratio", allowed=Margin(0.001), tolerated=Margin(0.005))


def test_what_the_baseline_did_before_tells_what_a_stage_needs(house: House) -> None:
    plan = replace(a_plan(), stages=tuple(replace(stage, gates=(WEIGHED,)) for stage in a_plan().stages))
    gate, busy = Gate(house), 20_000.0
    gate.metrics.requests_per_hour = busy
    assert gate.refusal(Terms(), plan=plan) is None, "nothing is known of the time before"
    assert gate.metrics.pasts == [(timedelta(days=1), PATIENCE)]
    known = keep(Past(5.0, 1440, {"errors": MetricPast(400_000, 4_000, (20_000, 200))}))
    refused = gate.refusal(Terms(), plan=plan, history=known)
    assert refused is not None
    assert refused.reason_code is ReasonCode.TOO_FEW_REQUESTS
    assert "requests for errors" in refused.text
    assert len(gate.metrics.pasts) == 1, "what the release keeps is not read anew"
    gate.metrics.requests_per_hour = 40 * busy
    house.clock.tick(seconds=30)
    assert gate.refusal(Terms(), plan=plan, history=known) is None


def test_what_memory_refuses_is_asked_about_nowhere_else(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(house)
    monkeypatch.setattr(gate.metrics, "per_hour", lambda *_: pytest.fail("asked"))
    refused = gate.refusal(Terms(needs=(Need("payments", "v2"),), staging=ADDRESS))
    assert refused is not None
    assert refused.reason_code is ReasonCode.NEEDS
    assert gate.staging.asked == []


def test_a_past_that_says_nothing_of_a_metric_leaves_the_least_that_is_asked(house: House) -> None:
    plan = replace(a_plan(), stages=tuple(replace(stage, gates=(WEIGHED,)) for stage in a_plan().stages))
    gate = Gate(house)
    gate.metrics.requests_per_hour = 40
    for history in (keep(Past(trouble="down")), keep(Past(5.0, 1440, {"errors": MetricPast()}))):
        refused = gate.refusal(Terms(), plan=plan, history=history)
        assert refused is not None
        assert "bout 40 requests an hour" in refused.text


OWN = replace(
    a_plan(),
    stages=tuple(replace(stage, gates=(MetricGate("orders", "1", query="orders"),)) for stage in a_plan().stages),
)


def test_a_query_that_can_never_be_answered_keeps_a_release_from_beginning(house: House) -> None:
    gate = Gate(house)
    assert gate.near(Terms(), OWN)[ReasonCode.BAD_INPUT].state is State.OPEN
    gate.metrics.objecting = [Objection("metrics.orders.query: Prometheus has no metric order_total.", is_final=True)]
    refused = gate.refusal(Terms(), plan=OWN)
    assert refused is not None
    assert (refused.reason_code, refused.text) == (
        ReasonCode.BAD_INPUT,
        "metrics.orders.query: Prometheus has no metric order_total.",
    )


def test_a_query_without_series_yet_is_told_and_refuses_nothing(house: House) -> None:
    gate = Gate(house)
    gate.metrics.objecting = [Objection("metrics.orders.query: gives no series for v1 now.", is_final=False)]
    assert gate.refusal(Terms(), plan=OWN) is None
    checks = gate.guarding.all(a_target(), OWN, Rules())
    assert [each.state for each in checks if each.rule is ReasonCode.BAD_INPUT] == [State.OPEN]


def test_a_prometheus_that_is_down_leaves_the_queries_open(house: House) -> None:
    gate = Gate(house)
    gate.metrics.trouble = "down"
    assert gate.refusal(Terms(), plan=OWN) is None


def test_copies_are_requests_and_matched_ones_are_not_guessed(house: House) -> None:
    gate, target = Gate(house), a_target()
    gate.metrics.requests_per_hour = 2_000
    bare = Split.between("v1", "v2", Decimal(0))
    for percent, state in ((1, State.BROKEN), (100, State.HOLDS)):
        stage = a_stage(splits={"reviews": replace(bare, mirror=Mirror("v2", Decimal(percent)))})
        plan = Plan(StrategyName.SHADOW, (stage,))
        found = {each.rule: each for each in gate.guarding.all(target, plan, Rules())}
        assert found[ReasonCode.TOO_FEW_REQUESTS].state is state
    matched = a_stage(splits={"reviews": replace(bare, matches=(Match("header:x-beta", "v2", exact="1"),))})
    found = {each.rule: each for each in gate.guarding.all(target, Plan(StrategyName.AB, (matched,)), Rules())}
    assert "how many of them are matched" in found[ReasonCode.TOO_FEW_REQUESTS].text
