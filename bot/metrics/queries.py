"""Every PromQL query that Sluice sends, as pure text.

Raw counters at one instant, never `rate` or `increase`: those extrapolate, give fractions and lose a new series' first
value. Sums keep `instance`, because a sum over pods hides the reset of one. Each query covers all services at once.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum

from bot.templates import literal, quoted

REQUESTS = "istio_requests_total"
CONNECTIONS = "istio_tcp_connections_opened_total"
CLOSED = "istio_tcp_connections_closed_total"
OF_CONNECTIONS = "tcp/"  # before the service, so that its requests are told apart from its connections
DURATIONS = "istio_request_duration_milliseconds_bucket"
CPU = "container_cpu_usage_seconds_total"
MEMORY = "container_memory_working_set_bytes"
UNDER_WAY = "envoy_cluster_upstream_rq_active"
PROBE = "vector(1)"
PART = "sluice_part"  # the label that tells the parts of one query apart
_SOURCE = ("destination_service", "destination_version", "destination_workload", "instance")
_LOOKED = (*_SOURCE, "job")  # a proxy that two jobs scrape must not count twice
_ANSWER = (*_LOOKED, "response_code", "response_flags", "grpc_response_status")
CLIENT_LEFT = frozenset({"DC", "-", ""})
GRPC_SERVER_ERRORS = frozenset({"2", "4", "12", "13", "14", "15"})  # what google.rpc.Code maps to 5xx
_FAILED = (
    'response_code=~"5.."',
    f'grpc_response_status=~"{"|".join(sorted(GRPC_SERVER_ERRORS, key=int))}"',
    f'response_code="0",response_flags!~"{"|".join(sorted(CLIENT_LEFT - {""}))}|"',
)
_CALL = ("source_workload", "source_workload_namespace", "instance", "job", "pod")
_CALLS = (*_CALL, "response_code", "response_flags", "grpc_response_status")
_PLACE = "destination_service,reporter,instance,job,namespace,pod"
_CONTAINER = ("namespace", "pod", "container")
_CALLER = ("source_workload", "source_workload_namespace", "destination_version", "destination_workload")


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


def connections(hosts: Sequence[str], reporter: str) -> str:
    """Connections opened so far, as `requests` and (without a reporter) `both_accounts` have it; no answers."""
    kept = _ANSWER if reporter else (*_ANSWER, "reporter")
    return _as_connections(f"sum by ({','.join(kept)}) ({CONNECTIONS}{_selector(hosts, reporter)})")


def both_accounts(hosts: Sequence[str]) -> str:
    """The same by reporter: callers know nothing of mirrored requests, receivers nothing of those that never came."""
    return f"sum by ({','.join((*_ANSWER, 'reporter'))}) ({REQUESTS}{_selector(hosts)})"


def durations(hosts: Sequence[str], reporter: str) -> str:
    """Requests so far by service, version, workload, instance and upper edge of their duration."""
    return f"sum by ({','.join((*_LOOKED, 'le'))}) ({DURATIONS}{_selector(hosts, reporter)})"


def answered(hosts: Sequence[str], reporter: str) -> str:
    """Requests so far by service, version, workload and instance."""
    return f"sum by ({','.join(_SOURCE)}) ({REQUESTS}{_selector(hosts, reporter)})"


def failed(hosts: Sequence[str], reporter: str) -> str:
    """The bad ones among them: 5xx, a gRPC status of the same meaning, or no answer while the caller still waited."""
    series = " or ".join(REQUESTS + _selector(hosts, reporter, kind) for kind in _FAILED)
    return f"sum by ({','.join(_SOURCE)}) ({series})"


def answered_by_pods(host: str) -> str:
    """Requests so far as the pods' own proxies count them, by version, workload, pod and instance."""
    return f"sum by ({','.join((*_LOOKED, 'pod'))}) ({REQUESTS}{_selector((host,), 'destination')})"


def durations_at(hosts: Sequence[str], reporter: str, edges: Sequence[str]) -> str:
    """Requests so far whose duration was at most each of the edges, as their `le` is written."""
    selector = _selector(hosts, reporter, f'le=~"{_pattern(edges)}"')
    return f"sum by ({','.join((*_SOURCE, 'le'))}) ({DURATIONS}{selector})"


def durations_by(timers: Mapping[str, str]) -> str:
    """The same of several services, each by the reporter that is named for it."""
    by: dict[str, list[str]] = {}
    for host, reporter in timers.items():
        by.setdefault(reporter, []).append(host)
    return " or ".join(durations(hosts, reporter) for reporter, hosts in sorted(by.items())) or durations((), "source")


def counters(hosts: Sequence[str], of_requests: str, timers: Mapping[str, str]) -> str:
    """Requests (of both reporters where none is named) and durations at once, told apart by `le`."""
    account = requests(hosts, of_requests) if of_requests else both_accounts(hosts)
    return f"{account} or {durations_by(timers)}"


def calls(workloads: Sequence[tuple[str, str]]) -> str:
    """Requests so far that these workloads (namespace, name) sent to others, as they count themselves."""
    return f"sum by ({','.join(_CALLS)}) ({REQUESTS}{_calling(workloads)})"


def called(workload: tuple[str, str]) -> str:
    """The same of one workload by pod and instance, whatever was answered."""
    return f"sum by ({','.join(_CALL)}) ({REQUESTS}{_calling((workload,))})"


def calls_failed(workload: tuple[str, str]) -> str:
    """The bad ones among them, as `failed` means it."""
    series = " or ".join(REQUESTS + _calling((workload,), kind) for kind in _FAILED)
    return f"sum by ({','.join(_CALL)}) ({series})"


def resources(workloads: Sequence[tuple[str, str]]) -> str:
    """CPU seconds and bytes of all containers in pods that are named like these workloads (namespace, name)."""
    namespaces, names = (_pattern(each) for each in zip(*workloads, strict=True))
    selector = f'{{namespace=~"{namespaces}",pod=~"(?:{names})-.+",container!="",container!="POD"}}'
    # The greatest of each container, for it may be scraped by two jobs; by id, for a restarted one begins anew.
    cpu = f"max by ({','.join((*_CONTAINER, 'id'))}) ({CPU}{selector})"
    memory = f"max by ({','.join(_CONTAINER)}) ({MEMORY}{selector})"
    return f'label_replace({cpu}, "{PART}", "cpu", "", "") or label_replace({memory}, "{PART}", "memory", "", "")'


def labelled(texts: Sequence[str]) -> str:
    """All texts as one query; the series of the n-th carry n in the label `PART`."""
    parts = [f'label_replace((\n{text}\n), "{PART}", "{n}", "", "")' for n, text in enumerate(texts)]
    # In pairs, so that a thousand of them nest ten deep.
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        rest = parts[-1:] if len(parts) % 2 else []
        parts = [*(f"({one} or {other})" for one, other in pairs), *rest]
    return parts[0]


def reporters(host: str, name: str) -> str:
    """Who reports the series `name` of a service."""
    return f"count by (reporter) ({name}{_selector((host,))})"


def scrapes(hosts: Sequence[str], counter: str = REQUESTS) -> str:
    """When each instance was scraped last, in seconds since 1970."""
    return f"max by (destination_service,reporter,instance) (timestamp({counter}{_selector(hosts)}))"


def scrapes_by_pod(hosts: Sequence[str]) -> str:
    """The same by job and pod: which of a pod's instances tell the same requests."""
    return f"max by ({_PLACE}) (timestamp({REQUESTS}{_selector(hosts)}))"


def connection_scrapes(hosts: Sequence[str]) -> str:
    """The same of the counters of connections."""
    return _as_connections(f"max by ({_PLACE}) (timestamp({CONNECTIONS}{_selector(hosts)}))")


def totals(hosts: Sequence[str], counter: str = REQUESTS) -> str:
    """Requests or connections so far by reporter and series, for proving that a version is idle."""
    return f"sum by ({','.join((*_SOURCE, 'reporter'))}) ({counter}{_selector(hosts)})"


def callers(hosts: Sequence[str], counter: str = REQUESTS) -> str:
    """The same by who sent them, for naming those who still call a version."""
    return f"sum by ({','.join((*_CALLER, 'reporter'))}) ({counter}{_selector(hosts)})"


def under_way(host: str, subset: str, window: timedelta) -> str:
    """The most requests that were under way to a subset at one time in the window, by the proxy that sent them."""
    # Istio calls a caller's cluster outbound|PORT|SUBSET|HOST.
    cluster = rf"outbound\|[0-9]+\|{literal(subset)}\|{literal(host)}"
    return f'max by (instance) (max_over_time({UNDER_WAY}{{cluster_name=~"{quoted(cluster)}"}}{_span(window)}))'


def scrape_counts(hosts: Sequence[str], window: timedelta, counter: str = REQUESTS) -> str:
    """How often each series was scraped inside the window, ended series included."""
    each = f"count_over_time({counter}{_selector(hosts)}{_span(window)})"
    return f"min by ({','.join((*_SOURCE, 'reporter'))}) ({each})"


def _span(window: timedelta) -> str:
    return f"[{max(round(window.total_seconds() * 1000), 1)}ms]"


def _as_connections(text: str) -> str:
    service = "destination_service"
    return f'label_replace({text}, "{service}", "{OF_CONNECTIONS}$1", "{service}", "(.*)")'


def _selector(hosts: Sequence[str], reporter: str = "", besides: str = "") -> str:
    by_reporter = f'reporter="{reporter}"' if reporter else 'reporter=~"source|destination"'
    more = f",{besides}" if besides else ""
    return f'{{{by_reporter},destination_service=~"{_pattern(hosts)}"{more}}}'


def _calling(workloads: Sequence[tuple[str, str]], besides: str = "") -> str:
    namespaces, names = (_pattern(each) for each in zip(*workloads, strict=True))
    more = f",{besides}" if besides else ""
    return f'{{reporter="source",source_workload_namespace=~"{namespaces}",source_workload=~"{names}"{more}}}'


def _pattern(names: Sequence[str]) -> str:
    """The names as alternatives, inside a PromQL string of double quotes."""
    return quoted("|".join(literal(name) for name in sorted(set(names))))
