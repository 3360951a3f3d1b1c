"""Virtual hosts written as Envoy's route configuration."""

from typing import assert_never

from bot.sandbox.cluster.client import Document
from bot.sandbox.mesh.routing import (
    Compare,
    Condition,
    Forward,
    HeaderEdits,
    Match,
    Part,
    Redirect,
    Reply,
    Retry,
    Route,
    Share,
    Text,
    VirtualHost,
)

ROUTE_TYPE = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
PREVIOUS_HOSTS = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
REDIRECT_CODES = {
    301: "MOVED_PERMANENTLY",
    302: "FOUND",
    303: "SEE_OTHER",
    307: "TEMPORARY_REDIRECT",
    308: "PERMANENT_REDIRECT",
}
MILLION = 1_000_000


def route_configuration(name: str, hosts: tuple[VirtualHost, ...]) -> Document:
    """The resource that Envoy's RDS takes. A cluster that is not there is answered with 503 by Envoy."""
    return {
        "@type": ROUTE_TYPE,
        "name": name,
        "validate_clusters": False,
        "virtual_hosts": [_virtual_host(one) for one in hosts],
    }


def _virtual_host(host: VirtualHost) -> Document:
    routes = [_route(one) for one in host.routes]
    return {"name": host.name, "domains": list(host.domains), "routes": routes}


def _route(route: Route) -> Document:
    written: Document = {"name": route.name, "match": _match(route.match)}
    written |= _edits(route.request, "request") | _edits(route.response, "response")
    match route.action:
        case Forward():
            written["route"] = _forward(route.action)
        case Redirect(path, authority, code):
            target = {"path_redirect": path, "host_redirect": authority}
            written["redirect"] = {key: value for key, value in target.items() if value}
            written["redirect"]["response_code"] = REDIRECT_CODES.get(code, str(code))
        case Reply(code, body):
            written["direct_response"] = {"status": code, "body": {"inline_string": body}}
        case _:
            assert_never(route.action)
    return written


def _match(match: Match) -> Document:
    written = _path(match.path)
    if match.ignores_case and "safe_regex" not in written:
        written["case_sensitive"] = False
    headers = [_header(one) for one in match.conditions if one.part is Part.HEADER]
    queries = [_query(one) for one in match.conditions if one.part is Part.QUERY]
    return written | ({"headers": headers} if headers else {}) | ({"query_parameters": queries} if queries else {})


def _path(text: Text) -> Document:
    match text.compare:
        case Compare.EXACT:
            return {"path": text.value}
        case Compare.PREFIX:
            return {"prefix": text.value}
        case Compare.REGEX:
            return {"safe_regex": {"regex": text.value}}
        case Compare.PRESENT:
            return {"prefix": "/"}
        case _:
            assert_never(text.compare)


def _header(condition: Condition) -> Document:
    written: Document = {"name": condition.name, **_compared(condition.text)}
    if condition.inverted:
        written["invert_match"] = True
        if condition.text.compare is not Compare.PRESENT:
            # An absent header cannot carry what must not be there.
            written["treat_missing_header_as_empty"] = True
    return written


def _query(condition: Condition) -> Document:
    return {"name": condition.name, **_compared(condition.text)}


def _compared(text: Text) -> Document:
    match text.compare:
        case Compare.EXACT | Compare.PREFIX:
            return {"string_match": {text.compare.value: text.value}}
        case Compare.REGEX:
            return {"string_match": {"safe_regex": {"regex": text.value}}}
        case Compare.PRESENT:
            return {"present_match": True}
        case _:
            assert_never(text.compare)


def _forward(action: Forward) -> Document:
    # Istio's default is no timeout; Envoy's own would be 15 s.
    written: Document = {"timeout": _duration(action.timeout_seconds or 0)}
    written |= _clusters(action.shares)
    if action.retry is not None:
        written["retry_policy"] = _retry(action.retry)
    if action.mirrors:
        written["request_mirror_policies"] = [
            {
                "cluster": str(one.cluster),
                "runtime_fraction": {
                    "default_value": {
                        "numerator": round(one.percent * MILLION / 100),
                        "denominator": "MILLION",
                    }
                },
            }
            for one in action.mirrors
        ]
    return written | _rewrite(action)


def _clusters(shares: tuple[Share, ...]) -> Document:
    # A single destination takes everything, whatever weight it carries.
    weighted = [one for one in shares if one.weight > 0] if len(shares) > 1 else []
    if not weighted and len(shares) == 1:
        weighted = [Share(shares[0].cluster, 1, shares[0].request, shares[0].response)]
    clusters = [
        {"name": str(one.cluster), "weight": one.weight}
        | _edits(one.request, "request")
        | _edits(one.response, "response")
        for one in weighted
    ]
    return {"weighted_clusters": {"clusters": clusters}}


def _retry(retry: Retry) -> Document:
    written: Document = {
        "retry_on": retry.on,
        "num_retries": retry.attempts,
        "retry_host_predicate": [
            {"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": {"@type": PREVIOUS_HOSTS}}
        ],
        "host_selection_retry_max_attempts": 5,
    }
    if retry.codes:
        written["retriable_status_codes"] = list(retry.codes)
    if retry.per_try_seconds:
        written["per_try_timeout"] = _duration(retry.per_try_seconds)
    return written


def _rewrite(action: Forward) -> Document:
    written: Document = {}
    if action.rewrite.path:
        written["prefix_rewrite"] = action.rewrite.path
    if action.rewrite.pattern:
        pattern, substitution = action.rewrite.pattern
        written["regex_rewrite"] = {"pattern": {"regex": pattern}, "substitution": substitution}
    if action.rewrite.authority:
        written["host_rewrite_literal"] = action.rewrite.authority
    return written


def _edits(edits: HeaderEdits, side: str) -> Document:
    added = [(pair, "OVERWRITE_IF_EXISTS_OR_ADD") for pair in edits.set]
    added += [(pair, "APPEND_IF_EXISTS_OR_ADD") for pair in edits.add]
    written: Document = {}
    if added:
        written[f"{side}_headers_to_add"] = [
            {"header": {"key": key, "value": value}, "append_action": how} for (key, value), how in added
        ]
    if edits.remove:
        written[f"{side}_headers_to_remove"] = list(edits.remove)
    return written


def _duration(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".") + "s"
