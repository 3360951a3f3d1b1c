"""Prometheus for the sandbox: the real one when it is there, else a stand-in on the same wire.

Here belong the sample store, the scraper, the evaluator of the PromQL subset the bot speaks, its HTTP API,
and the start of a real Prometheus with the same targets. What the evaluator does not compute it refuses by
name with 400 `bad_data`; what it does compute equals Prometheus 2.42. No Slack, no Kubernetes, no bot: the
sandbox hands in targets. Imported by `bot.sandbox` and by tests.
"""

from bot.sandbox.prometheus.builtin import BuiltinPrometheus
from bot.sandbox.prometheus.choice import Mode, PrometheusMissingError, choose
from bot.sandbox.prometheus.real import RealPrometheus
from bot.sandbox.prometheus.targets import Target, Targets

__all__ = [
    "BuiltinPrometheus",
    "Mode",
    "PrometheusMissingError",
    "RealPrometheus",
    "Target",
    "Targets",
    "choose",
]
