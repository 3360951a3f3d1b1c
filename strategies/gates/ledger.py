"""A trial as plain values for JSON, about 40 numbers per metric, and back to the same odds."""

from collections.abc import Mapping
from typing import Any

from strategies.gates.account import Account
from strategies.gates.chance import Line
from strategies.gates.gauges import Differences
from strategies.gates.overdispersion import Bursts
from strategies.gates.question import Question
from strategies.gates.roughness import Roughness
from strategies.gates.trial import Decision, GaugeAccount, Trial

VERSION = 1


def document(trial: Trial) -> dict[str, object]:
    """Everything that the next look depends on but the question."""
    return {
        "v": VERSION,
        "accounts": {name: _account(account) for name, account in trial.accounts.items()},
        "gauges": {
            name: [gauge.long_run, gauge.seen.looks, gauge.seen.total, gauge.seen.squares, gauge.seconds]
            for name, gauge in trial.gauges.items()
        },
        "clock": [trial.began, trial.last, trial.weight, trial.stage_weight],
        "stage_requests": trial.stage_requests,
        "pace": trial.pace,
        "decision": trial.decision,
    }


def restored(question: Question, stored: Mapping[str, Any]) -> Trial:
    """The trial as it was. Raises KeyError, TypeError or ValueError for what is no such document."""
    if stored["v"] != VERSION:
        raise ValueError(f"evidence of version {stored['v']!r}, this is version {VERSION}")
    accounts = {name: account_of(kept) for name, kept in stored["accounts"].items()}
    gauges = {
        name: GaugeAccount(long_run, Differences(looks, total, squares), seconds)
        for name, (long_run, looks, total, squares, seconds) in stored["gauges"].items()
    }
    if {*accounts, *gauges} != {metric.name for metric in question.metrics}:
        raise ValueError("the evidence is on other metrics than the question")
    began, last, weight, stage_weight = stored["clock"]
    decision = Decision(stored["decision"]) if stored["decision"] else None
    trial = Trial(question, accounts, gauges, began, last, weight)
    trial.stage_weight, trial.stage_requests, trial.pace = stage_weight, stored["stage_requests"], stored["pace"]
    trial.decision = decision
    return trial


def _account(account: Account) -> dict[str, object]:
    return {
        "border": list(account.border),
        "tolerated": list(account.tolerated),
        "bursts": [account.bursts.factor, account.bursts.is_known],
        "edge": account.edge,
        "seen": [account.requests, account.bad],
        "harm": account.harm,
        "safe": account.safe,
        "paid": account.paid,
        "gain": account.gain,
        "stages": [[weight, *kept] for weight, kept in account.stages.items()],
        "errors_apart": account.errors_apart,
        "outage": account.outage,
        "roughness": [version.plain() for version in account.roughness],
        "rough": account.rough,
    }


def account_of(kept: Mapping[str, Any]) -> Account:
    """One metric's account as it was; raises as `restored` does."""
    factor, is_known = kept["bursts"]
    account = Account(Line(*kept["border"]), Line(*kept["tolerated"]), Bursts(factor, is_known), kept["edge"])
    account.requests, account.bad = kept["seen"]
    account.harm, account.safe = list(kept["harm"]), list(kept["safe"])
    account.paid, account.gain = kept["paid"], kept["gain"]
    account.stages = {weight: list(totals) for weight, *totals in kept["stages"]}
    account.errors_apart, account.outage = kept["errors_apart"], list(kept["outage"])
    # Evidence of an earlier release of Sluice has none.
    if "roughness" in kept:
        baseline, candidate = (Roughness(*version) for version in kept["roughness"])
        account.roughness, account.rough = (baseline, candidate), kept["rough"]
    return account
