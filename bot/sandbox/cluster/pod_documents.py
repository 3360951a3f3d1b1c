"""Pods and Deployment status as documents: what the missing controllers and the kubelet would write."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from bot.sandbox.cluster.client import Document
from bot.sandbox.cluster.pod_state import CrashLooping, ImageMissing, PodState, Running, Starting

PORT_ANNOTATION = "sandbox.sluice/port"
RUN_ANNOTATION = "sandbox.sluice/run"
HASH_LABEL = "pod-template-hash"
# As Istio's injection adds it to every pod: a sidecar by Kubernetes' own means.
SIDECAR = {"name": "istio-proxy", "image": "istio/proxyv2", "restartPolicy": "Always"}
_LETTERS = str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst")
NODE = "sandbox"
ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class PodCounts:
    """How many pods of a Deployment there are, are of its present template, and are ready."""

    all: int
    updated: int
    ready: int
    refusal: str | None = None


def template_hash(deployment: Document) -> str:
    """Ten letters that change with the pod template, as a ReplicaSet's name carries: Kubernetes uses no vowels."""
    text = json.dumps(deployment["spec"]["template"], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10].translate(_LETTERS)


def pod_document(deployment: Document, name: str, run: str) -> Document:
    """The Pod that a Deployment's template asks for."""
    template = deployment["spec"]["template"]
    meta = template.get("metadata", {})
    owner = deployment["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": owner["namespace"],
            "labels": {**meta.get("labels", {}), HASH_LABEL: template_hash(deployment)},
            "annotations": {**meta.get("annotations", {}), RUN_ANNOTATION: run},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "name": owner["name"],
                    "uid": owner["uid"],
                    "controller": True,
                }
            ],
        },
        "spec": {
            **template["spec"],
            "nodeName": NODE,
            "initContainers": [*template["spec"].get("initContainers", []), SIDECAR],
        },
    }


def pod_status(pod: Document, state: PodState, restarts: int, now: datetime) -> Document:
    """The status a kubelet would write for a pod in this state."""
    stamp = _stamp(now)
    ready = isinstance(state, Running)
    started = ready or restarts > 0
    wanted = {"PodScheduled": True, "Initialized": True, "ContainersReady": ready, "Ready": ready}
    conditions: list[Document] = [
        {"type": kind, "status": str(value), "lastTransitionTime": stamp}
        | ({} if value else {"reason": "ContainersNotReady"})
        for kind, value in wanted.items()
    ]
    containers = pod["spec"]["containers"]
    return {
        "phase": "Running" if started else "Pending",
        "conditions": conditions,
        "hostIP": ADDRESS,
        "podIP": ADDRESS,
        "podIPs": [{"ip": ADDRESS}],
        "startTime": pod["metadata"].get("creationTimestamp", stamp),
        "containerStatuses": [_container(one, state, restarts, stamp) for one in containers],
    }


def _container(container: Document, state: PodState, restarts: int, stamp: str) -> Document:
    ready = isinstance(state, Running)
    status = {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": ready,
        "started": ready,
        "restartCount": restarts,
        "state": _container_state(container, state, stamp),
    }
    if isinstance(state, CrashLooping):
        ended = {"exitCode": state.exit_code, "reason": "Error", "finishedAt": stamp}
        status["lastState"] = {"terminated": ended}
    return status


def _container_state(container: Document, state: PodState, stamp: str) -> Document:
    match state:
        case Running():
            return {"running": {"startedAt": stamp}}
        case Starting():
            return {"waiting": {"reason": "ContainerCreating"}}
        case CrashLooping():
            text = f"back-off restarting failed container {container['name']}"
            return {"waiting": {"reason": "CrashLoopBackOff", "message": text}}
        case ImageMissing():
            text = f'Back-off pulling image "{container["image"]}"'
            return {"waiting": {"reason": "ImagePullBackOff", "message": text}}
        case _:
            assert_never(state)


def deployment_status(deployment: Document, counts: PodCounts, now: datetime) -> Document:
    """The status the Deployment controller would write for these pods."""
    wanted = deployment["spec"].get("replicas", 1)
    complete = counts.updated >= wanted and counts.ready >= wanted and counts.all == wanted
    conditions = [
        _condition("Available", counts.ready >= wanted, "MinimumReplicasAvailable", "MinimumReplicasUnavailable"),
        _condition("Progressing", True, "NewReplicaSetAvailable" if complete else "ReplicaSetUpdated", ""),
    ]
    if counts.refusal is not None:
        failure = _condition("ReplicaFailure", True, "FailedCreate", "")
        conditions.append(failure | {"message": counts.refusal})
    old = {one["type"]: one for one in deployment.get("status", {}).get("conditions", [])}
    stamp = _stamp(now)
    for one in conditions:
        before = old.get(one["type"], {})
        same = before.get("status") == one["status"]
        one["lastTransitionTime"] = before.get("lastTransitionTime", stamp) if same else stamp
        one["lastUpdateTime"] = stamp
    return {
        "observedGeneration": deployment["metadata"].get("generation", 1),
        "replicas": counts.all,
        "updatedReplicas": counts.updated,
        "readyReplicas": counts.ready,
        "availableReplicas": counts.ready,
        "unavailableReplicas": max(0, wanted - counts.ready),
        "conditions": conditions,
    }


def _condition(kind: str, value: bool, reason: str, otherwise: str) -> Document:
    return {"type": kind, "status": str(value), "reason": reason if value else otherwise, "message": ""}


def _stamp(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
