"""What the cluster itself warns of while a version does not become ready: the newest Event about its Deployment."""

import logging

from bot.errors import Fault, Transient
from bot.mesh.cluster import Writes
from bot.mesh.documents import Document
from bot.mesh.kube_api import EVENT
from strategies.reasons import Refused
from strategies.release import Target

log = logging.getLogger(__name__)

LONGEST = 300


def warned(cluster: Writes, target: Target, refused: Refused) -> Refused:
    """The refusal with the newest warning about the candidate; as it was where none can be read."""
    name = target.workloads.get(target.candidate)
    if name is None:
        return refused
    try:
        events = cluster.list(EVENT, target.namespace, "type=Warning")
    except (Fault, Transient) as problem:
        log.info("no events of %s: %s", name, problem)
        return refused
    # Its ReplicaSets and pods are called like it, with more behind.
    own = [each for each in events if _about(each) == name or _about(each).startswith(f"{name}-")]
    message = str(max(own, key=_at).get("message") or "").strip() if own else ""
    if not message or message in refused.text:
        return refused
    return Refused(refused.reason_code, f"{refused.text} Kubernetes warns: {message[:LONGEST].rstrip('.')}.")


def _about(event: Document) -> str:
    return str((event.get("involvedObject") or {}).get("name") or "")


def _at(event: Document) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")
