"""What brings back a baseline that Sluice deletes: its Deployment, autoscaler, disruption budget and subset."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping

from bot.errors import SluiceError
from bot.mesh.candidates import as_new
from bot.mesh.cluster import Writes
from bot.mesh.destination_rule import rules_of
from bot.mesh.documents import Document, canonical, full_name
from bot.mesh.holding import LEAST, free
from bot.mesh.kube_api import AUTOSCALER, BUDGET, DEPLOYMENT, DESTINATION_RULE, Kind
from bot.mesh.kube_errors import Conflict
from bot.mesh.retirement import own_subset
from bot.mesh.sizes import CREATED_BY, created_by, deployment_of
from bot.mesh.view import View
from strategies.release import Decommission, Release, Target

log = logging.getLogger(__name__)

# They belong to the Deployment and go with it, so nobody but its deletion takes them away.
BESIDE = (AUTOSCALER, BUDGET)


def keepsakes(view: View, cluster: Writes, release: Release) -> Mapping[str, str]:
    """Canonical JSON by `Kind namespace/name` of all that the end of the baselines deletes; empty when nothing is."""
    if release.rules.decommission is not Decommission.DELETE:
        return {}
    return {what: text for target in release.targets for what, text in _of(view, cluster, release, target)}


def restore_beside(cluster: Writes, release: Release, owner: Document) -> None:
    """Create the autoscaler and the budget again, as `owner`'s. What fails is logged: traffic does not wait for it."""
    for kind in BESIDE:
        for what, text in release.kept.items():
            document = json.loads(text) if what.startswith(f"{kind.name} ") else None
            if document is None or _owner_of(document) != owner["metadata"]["name"]:
                continue
            document["metadata"]["ownerReferences"] = [_reference(owner)]
            try:
                cluster.create(kind, document)
            except Conflict:
                continue
            except SluiceError as problem:
                log.warning("release=%s %s is not back: %s", release.id, what, problem)


def _of(view: View, cluster: Writes, release: Release, target: Target) -> Iterator[tuple[str, str]]:
    document = deployment_of(view, target, target.baseline)
    if document is None or not created_by(document):
        return
    yield _named(DEPLOYMENT, document), canonical(_kept(document))
    for scaler in _owned(view.autoscalers(target.namespace), document):
        # A number that Sluice holds for the time of a release is not the autoscaler's own.
        freed = free(scaler, LEAST, release.id, restores=True) or scaler
        yield _named(AUTOSCALER, scaler), canonical(_kept(freed))
    for budget in _owned(cluster.list(BUDGET, target.namespace), document):
        yield _named(BUDGET, budget), canonical(_kept(budget))
    subset = own_subset(view, target)
    for rule in rules_of(view.destination_rules(), target.host, target.routes[0].namespace) if subset else ():
        own = next((each for each in rule["spec"].get("subsets") or [] if each.get("name") == subset), None)
        if own is not None:
            yield _named(DESTINATION_RULE, rule), canonical(own)


def _owned(found: Iterable[Document], owner: Document) -> Iterator[Document]:
    for each in found:
        references = each["metadata"].get("ownerReferences") or []
        if any(reference.get("uid") == owner["metadata"].get("uid") for reference in references):
            yield each


def _kept(document: Document) -> Document:
    """What brings the object back, with the mark that says who made it, and the Deployment that it belongs to."""
    kept = as_new(document)
    kept["metadata"].setdefault("labels", {})[CREATED_BY] = created_by(document)
    references = document["metadata"].get("ownerReferences")
    if references:
        kept["metadata"]["ownerReferences"] = references
    return kept


def _owner_of(document: Document) -> str:
    references = document["metadata"].get("ownerReferences") or [{}]
    return str(references[0].get("name") or "")


def _reference(owner: Document) -> Document:
    metadata = owner["metadata"]
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"], "uid": metadata["uid"]}


def _named(kind: Kind, document: Document) -> str:
    return f"{kind.name} {full_name(document)}"
