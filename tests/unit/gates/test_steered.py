"""Traffic that weights do not steer: a match's people, and copies."""

from strategies.gates.steered import Aim
from strategies.plan import Margin, MetricGate
from strategies.routing import Steering
from strategies.verdicts import Arm, Outcome
from tests.unit.gates.looks import ERRORS, Judge, a_look, an_arm

GROUP = Aim(Steering.MATCHES, 0.0, 1.0, "header:x-beta=1")
ONE_PERCENT = Aim(Steering.MATCHES, 0.0, 0.01, "header:x-beta=1")
COPIES = Aim(Steering.MIRROR, 0.0, 0.0, mirrored=0.1)


def test_nobody_in_the_group_yet_waits_and_says_who_is_missing() -> None:
    verdict = Judge(aim=GROUP).see(an_arm(412), an_arm(0))["split"]
    assert (verdict.outcome, verdict.candidate) == (Outcome.WAIT, None)
    assert verdict.reason == "Nobody has sent header:x-beta=1 yet: 0 of 412 requests went to v2."
    assert verdict.missing == "requests with header:x-beta=1"


def test_the_group_is_seen_when_the_candidate_answers_it_whatever_its_share() -> None:
    verdict = Judge(aim=GROUP).see(an_arm(300), an_arm(100))["split"]
    assert (verdict.outcome, verdict.candidate, verdict.bound) == (Outcome.PASS, 0.25, None)
    assert "how many come is up to them" in verdict.reason


def test_more_than_the_share_inside_the_match_allows_is_not_the_split() -> None:
    verdict = Judge(aim=ONE_PERCENT).see(an_arm(900), an_arm(100))["split"]
    assert verdict.outcome is Outcome.WAIT
    assert "at most 1.0 % was asked" in verdict.reason
    assert Judge(aim=ONE_PERCENT).see(an_arm(995), an_arm(5))["split"].outcome is Outcome.PASS


def test_less_than_the_weights_give_anyway_is_not_the_split() -> None:
    verdict = Judge(aim=Aim(Steering.MATCHES, 0.5, 1.0, "header:x-beta=1")).see(an_arm(900), an_arm(100))["split"]
    assert (verdict.outcome, verdict.bound) == (Outcome.WAIT, 0.5)


def test_copies_are_counted_beside_live_requests() -> None:
    verdict = Judge(aim=COPIES).see(an_arm(400), an_arm(38), is_mirrored=True, live=0.0)["split"]
    assert (verdict.outcome, verdict.candidate, verdict.bound) == (Outcome.PASS, 0.095, 0.1)
    assert verdict.reason == "v2 took 38 copies beside 400 live requests (10.0 % asked)."


def test_a_shadow_that_answers_somebody_does_not_pass() -> None:
    verdict = Judge(aim=COPIES).see(an_arm(400), an_arm(38), is_mirrored=True, live=2.0)["split"]
    assert verdict.outcome is Outcome.WAIT
    assert "2 live requests" in verdict.reason


def test_no_copy_counted_yet_waits_in_words() -> None:
    verdicts = Judge(ERRORS, aim=COPIES).see(an_arm(400), Arm(), is_mirrored=True)
    assert {verdict.outcome for verdict in verdicts.values()} == {Outcome.WAIT}
    assert "No copy has reached v2 yet" in verdicts["errors"].reason


def test_errors_of_a_group_are_compared_with_everybody_elses() -> None:
    judge = Judge(ERRORS, aim=GROUP)
    for _ in range(2):
        verdicts = judge.see(an_arm(400, 1), an_arm(40, 20))
    assert verdicts["errors"].outcome is Outcome.FAIL


def test_evidence_adds_up_for_a_group_too() -> None:
    sure = MetricGate("errors", "ratio", allowed=Margin(0.02), tolerated=Margin(0.05))
    judge = Judge(sure, aim=GROUP)
    outcomes = [judge.see(an_arm(500, 1), an_arm(250, 0))["errors"].outcome for _ in range(6)]
    assert outcomes[-1] is Outcome.PASS


def test_errors_without_a_version_belong_to_a_candidate_without_pods() -> None:
    judge = Judge(ERRORS, aim=GROUP)
    for _ in range(2):
        verdicts = judge.see(an_arm(400), an_arm(0), unattributed=30.0, ready={"v1": 3, "v2": 0})
    assert verdicts["errors"].outcome is Outcome.FAIL


def test_a_mirrored_reading_has_no_share() -> None:
    assert a_look(1, an_arm(400), an_arm(40), is_mirrored=True).share is None


def test_people_who_keep_their_version_make_no_exact_share_of_requests() -> None:
    verdict = Judge(aim=Aim(Steering.MATCHES, 0.0, 1.0, people=0.25)).see(an_arm(700), an_arm(300))["split"]
    assert (verdict.outcome, verdict.candidate, verdict.bound) == (Outcome.PASS, 0.3, 0.25)
    assert "people keep their version" in verdict.reason


def test_a_candidate_that_was_scraped_and_got_no_copy_waits_for_one() -> None:
    verdict = Judge(aim=COPIES).see(an_arm(400), an_arm(0), is_mirrored=True, live=0.0)["split"]
    assert (verdict.outcome, verdict.missing) == (Outcome.WAIT, "mirrored requests")
    assert verdict.reason == "No copy has reached v2 yet, beside 400 live requests (10.0 % asked)."


def test_where_callers_have_no_proxies_a_shadow_says_what_it_cannot_know() -> None:
    verdict = Judge(aim=COPIES).see(an_arm(400), an_arm(38), is_mirrored=True)["split"]
    assert verdict.outcome is Outcome.PASS
    assert verdict.reason.endswith("Whether it answers live ones too, only callers' proxies would tell.")


def test_errors_without_a_version_stay_so_where_no_share_tells_whose_they_are() -> None:
    judge = Judge(ERRORS, aim=GROUP)
    verdict = judge.see(an_arm(400), an_arm(100), unattributed=30.0, ready={"v1": 3, "v2": 2})["errors"]
    assert (verdict.outcome, verdict.candidate) == (Outcome.WAIT, 0.0)
    assert "30 errors name no version" in verdict.reason
