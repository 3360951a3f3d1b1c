"""Every PromQL query that Sluice sends, as pure text.

Raw counters at one instant, never `rate` or `increase`: those extrapolate, give fractions and lose a new series' first
value. Sums keep `instance`, because a sum over pods hides the reset of one. Each query covers all services at once.
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

REQUESTS = "istio_requests_total"
DURATIONS = "istio_request_duration_milliseconds_bucket"
PROBE = "vector(1)"
_SOURCE = ("destination_service", "destination_version", "destination_workload", "instance")
_ANSWER = (*_SOURCE, "response_code", "response_flags", "grpc_response_status")
CLIENT_LEFT = frozenset({"DC", "-", ""})
GRPC_SERVER_ERRORS = frozenset({"2", "4", "12", "13", "14", "15"})  # what google.rpc.Code maps to 5xx
_SPECIAL = frozenset("\\.+*?()|[]{}^$")


class Reporter(StrEnum):
    """Whose account counts: the caller's proxy, the callee's, or each for what it sees better."""

    BOTH = "both"
    SOURCE = "source"
    DESTINATION = "destination"

    @property
    def of_requests(self) -> str:
        """The source alone sees requests that never reached a pod."""
        return "destination" if self is Reporter.DESTINATION else "source"

    @property
    def of_durations(self) -> str:
        """The destination's time has no network and no retries in it."""
        return "source" if self is Reporter.SOURCE else "destination"

    @property
    def required(self) -> tuple[str, ...]:
        """The accounts that must exist before silence proves anything."""
        return ("source", "destination") if self is Reporter.BOTH else (self.value,)


def requests(hosts: Sequence[str], reporter: str) -> str:
    """Requests so far by service, version, workload, instance and kind of answer."""
    return f"sum by ({','.join(_ANSWER)}) ({REQUESTS}{_selector(hosts, reporter)})"


def both_accounts(hosts: Sequence[str]) -> str:
    """The same by reporter: callers know nothing of mirrored requests, receivers nothing of those that never came."""
    return f"sum by ({','.join((*_ANSWER, 'reporter'))}) ({REQUESTS}{_selector(hosts)})"


def durations(hosts: Sequence[str], reporter: str) -> str:
    """Requests so far by service, version, workload, instance and upper edge of their duration."""
    return f"sum by ({','.join((*_SOURCE, 'le'))}) ({DURATIONS}{_selector(hosts, reporter)})"


def answered(host: str, reporter: str) -> str:
    """Requests so far by service, version, workload and instance."""
    return f"sum by ({','.join(_SOURCE)}) ({REQUESTS}{_selector((host,), reporter)})"


def failed(host: str, reporter: str) -> str:
    """The bad ones among them: 5xx, a gRPC status of the same meaning, or no answer while the caller still waited."""
    kinds = (
        'response_code=~"5.."',
        f'grpc_response_status=~"{"|".join(sorted(GRPC_SERVER_ERRORS, key=int))}"',
        f'response_code="0",response_flags!~"{"|".join(sorted(CLIENT_LEFT - {""}))}|"',
    )
    series = " or ".join(REQUESTS + _selector((host,), reporter, kind) for kind in kinds)
    return f"sum by ({','.join(_SOURCE)}) ({series})"


def durations_at(host: str, reporter: str, edges: Sequence[str]) -> str:
    """Requests so far whose duration was at most each of the edges, as their `le` is written."""
    alternatives = _quoted("|".join(_literal(edge) for edge in sorted(edges)))
    selector = _selector((host,), reporter, f'le=~"{alternatives}"')
    return f"sum by ({','.join((*_SOURCE, 'le'))}) ({DURATIONS}{selector})"


def scrapes(hosts: Sequence[str]) -> str:
    """When each instance was scraped last, in seconds since 1970."""
    return f"max by (destination_service,reporter,instance) (timestamp({REQUESTS}{_selector(hosts)}))"


def totals(hosts: Sequence[str]) -> str:
    """Requests so far by reporter and series, for proving that a version is idle."""
    return f"sum by ({','.join((*_SOURCE, 'reporter'))}) ({REQUESTS}{_selector(hosts)})"


def scrape_counts(hosts: Sequence[str], window: timedelta) -> str:
    """How often each series was scraped inside the window, ended series included."""
    span = f"[{max(round(window.total_seconds() * 1000), 1)}ms]"
    return f"min by ({','.join((*_SOURCE, 'reporter'))}) (count_over_time({REQUESTS}{_selector(hosts)}{span}))"


def _selector(hosts: Sequence[str], reporter: str = "", besides: str = "") -> str:
    by_reporter = f'reporter="{reporter}"' if reporter else 'reporter=~"source|destination"'
    alternatives = _quoted("|".join(_literal(host) for host in sorted(set(hosts))))
    more = f",{besides}" if besides else ""
    return f'{{{by_reporter},destination_service=~"{alternatives}"{more}}}'


def _literal(text: str) -> str:
    """The text as an RE2 pattern that matches it and nothing else, as Go's QuoteMeta writes it."""
    return "".join(f"\\{sign}" if sign in _SPECIAL else sign for sign in text)


def _quoted(text: str) -> str:
    """The text inside a PromQL string of double quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
