"""What the API server fills in: defaults of the built-in kinds, first status, addresses."""

from __future__ import annotations

import base64
import ipaddress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sandbox.kubernetes.store import Document

_EVENT_BLANKS: dict[str, Any] = {
    "source": {},
    "firstTimestamp": None,
    "lastTimestamp": None,
    "eventTime": None,
    "reportingComponent": "",
    "reportingInstance": "",
}
SERVICE_NETWORK = ipaddress.IPv4Network("10.96.0.0/16")


def defaulted(kind: str, document: Document) -> Document:
    """The document with absent fields filled as the server does; what the caller wrote stays."""
    fill = _FILLS.get(kind)
    return fill(document) if fill else document


def first_status(kind: str) -> Any:
    """The status an object is born with; None where the kind has none."""
    return _STATUS.get(kind)


def admitted(kind: str, document: Document, taken: Callable[[], set[str]]) -> Document:
    """The document with what admission adds, which nobody comes to own; `taken` are addresses in use."""
    match kind:
        case "Service":
            return _with_address(document, taken())
        case "Pod":
            tolerated = [
                {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
                for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
            ]
            given = {"tolerations": tolerated, "priority": 0, "preemptionPolicy": "PreemptLowerPriority"}
            return {**document, "spec": {**given, **document["spec"]}}
        case _:
            return document


def _with_address(service: Document, taken: set[str]) -> Document:
    spec = service["spec"]
    if spec.get("type") == "ExternalName" or spec.get("clusterIP"):
        return service
    address = next(str(each) for each in SERVICE_NETWORK.hosts() if str(each) not in taken)
    given = {
        "clusterIP": address,
        "clusterIPs": [address],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
    }
    return {**service, "spec": {**spec, **given}}


def blank(kind: str) -> Document:
    """The parts that exist before anybody writes them, which therefore nobody comes to own."""
    template: Document = {"metadata": {}, "spec": {"containers": []}}
    match kind:
        case "Deployment":
            spec: Document = {"strategy": {}, "template": template}
        case "StatefulSet":
            spec = {"updateStrategy": {}, "template": template}
        case "ReplicaSet":
            spec = {"template": template}
        case "Pod":
            spec = {"containers": []}
        case "HorizontalPodAutoscaler":
            spec = {"scaleTargetRef": {}}
        case "Event":
            return {"metadata": {}, **_EVENT_BLANKS}
        case "Namespace":
            spec = {"finalizers": ["kubernetes"]}
        case _:
            spec = {}
    return {"metadata": {}, "spec": spec, "status": {}}


def _deployment(document: Document) -> Document:
    spec = {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
        **document.get("spec", {}),
    }
    strategy = {"type": "RollingUpdate", **spec.get("strategy", {})}
    if strategy["type"] == "RollingUpdate":
        rolling = {"maxUnavailable": "25%", "maxSurge": "25%", **strategy.get("rollingUpdate", {})}
        strategy["rollingUpdate"] = rolling
    return {**document, "spec": _templated({**spec, "strategy": strategy})}


def _replica_set(document: Document) -> Document:
    return {**document, "spec": _templated({"replicas": 1, **document.get("spec", {})})}


def _stateful_set(document: Document) -> Document:
    spec = {
        "replicas": 1,
        "podManagementPolicy": "OrderedReady",
        "revisionHistoryLimit": 10,
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        **document.get("spec", {}),
    }
    update = {"type": "RollingUpdate", **spec.get("updateStrategy", {})}
    if update["type"] == "RollingUpdate":
        update["rollingUpdate"] = {"partition": 0, **update.get("rollingUpdate", {})}
    return {**document, "spec": _templated({**spec, "updateStrategy": update})}


def _templated(spec: Document) -> Document:
    template = spec.get("template", {})
    return {**spec, "template": {**template, "spec": _pod_spec(template.get("spec", {}))}}


def _pod(document: Document) -> Document:
    spec = {"enableServiceLinks": True, **_pod_spec(document.get("spec", {}))}
    return {**document, "spec": spec}


def _pod_spec(spec: Document) -> Document:
    filled = {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
        **spec,
    }
    for name in ("containers", "initContainers"):
        if name in spec:
            filled[name] = [_container(each) for each in spec[name]]
    return filled


def _container(container: Document) -> Document:
    image = container.get("image", "")
    last = image.rsplit("/", 1)[-1]
    latest = "@" not in last and (":" not in last or last.endswith(":latest"))
    filled = {
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "Always" if latest else "IfNotPresent",
        **container,
    }
    if "ports" in container:
        filled["ports"] = [{"protocol": "TCP", **each} for each in container["ports"]]
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            filled[name] = _probe(container[name])
    return filled


def _probe(probe: Document) -> Document:
    filled = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3, **probe}
    if "httpGet" in probe:
        filled["httpGet"] = {"path": "/", "scheme": "HTTP", **probe["httpGet"]}
    return filled


def _service(document: Document) -> Document:
    spec = {
        "type": "ClusterIP",
        "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
        **document.get("spec", {}),
    }
    if "ports" in spec:
        spec["ports"] = [{"protocol": "TCP", "targetPort": each.get("port"), **each} for each in spec["ports"]]
    return {**document, "spec": spec}


def _autoscaler(document: Document) -> Document:
    processor = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    spec = {
        "minReplicas": 1,
        "metrics": [{"type": "Resource", "resource": processor}],
        **document.get("spec", {}),
    }
    return {**document, "spec": spec}


def _secret(document: Document) -> Document:
    plain = document.get("stringData", {})
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
    rest = {key: value for key, value in document.items() if key != "stringData"}
    data = {**document.get("data", {}), **encoded}
    return {"type": "Opaque", **rest, **({"data": data} if data else {})}


def _event(document: Document) -> Document:
    return {**_EVENT_BLANKS, **document}


def _namespace(document: Document) -> Document:
    metadata = document["metadata"]
    labels = {**metadata.get("labels", {}), "kubernetes.io/metadata.name": metadata.get("name", "")}
    spec = {"finalizers": ["kubernetes"], **document.get("spec", {})}
    return {**document, "metadata": {**metadata, "labels": labels}, "spec": spec}


def _endpoint_slice(document: Document) -> Document:
    endpoints = [{"conditions": {}, **each} for each in document.get("endpoints") or ()]
    ports = [{"name": "", "protocol": "TCP", **each} for each in document.get("ports") or ()]
    return {**document, "endpoints": endpoints, "ports": ports}


_FILLS: dict[str, Callable[[Document], Document]] = {
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "StatefulSet": _stateful_set,
    "Pod": _pod,
    "Service": _service,
    "HorizontalPodAutoscaler": _autoscaler,
    "Secret": _secret,
    "Event": _event,
    "Namespace": _namespace,
    "EndpointSlice": _endpoint_slice,
}
_STATUS: dict[str, Any] = {
    "Deployment": {},
    "ReplicaSet": {"replicas": 0},
    "StatefulSet": {"replicas": 0, "availableReplicas": 0},
    "Pod": {"phase": "Pending", "qosClass": "BestEffort"},
    "Service": {"loadBalancer": {}},
    "Namespace": {"phase": "Active"},
    "ResourceQuota": {},
    "HorizontalPodAutoscaler": {"desiredReplicas": 0, "currentMetrics": None},
    "PodDisruptionBudget": {
        "disruptionsAllowed": 0,
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "expectedPods": 0,
    },
}
