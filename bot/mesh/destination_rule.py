"""The pure editor of a DestinationRule: finds subsets, adds a missing one, removes exactly that again."""

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.mesh.documents import Document, annotate, annotations_of, full_name, namespace_of
from bot.mesh.hosts import full_host, service_of

# What we added, so that exactly this is removed: {subset name: {"release", "at", "subset"}} as JSON.
ADDED = "sluice/added-subsets"


@dataclass(frozen=True, slots=True)
class Added:
    """A subset of ours: which release needed it, when it was written, and how."""

    release: str
    at: datetime
    subset: Document


def rules_of(documents: Sequence[Document], host: str, namespace: str) -> list[Document]:
    """The DestinationRules of the full host: those beside the VirtualService first, then those beside the service."""
    service = service_of(host)
    order = [namespace, *([service[0]] if service else [])]
    found = [each for each in documents if rule_host(each) == host]

    def rank(document: Document) -> tuple[int, str]:
        home = namespace_of(document)
        return (order.index(home) if home in order else len(order), full_name(document))

    return sorted(found, key=rank)


def subsets(document: Mapping[str, Any]) -> list[Document]:
    """The rule's subsets as they stand."""
    return list((document.get("spec") or {}).get("subsets") or [])


def subset_named(rules: Sequence[Document], name: str) -> tuple[Document, Document] | None:
    """(rule, subset) of that name, from the first rule that has it."""
    return next(((rule, each) for rule in rules for each in subsets(rule) if each.get("name") == name), None)


def version_of(subset: Mapping[str, Any], label: str) -> str:
    """The version that the subset selects, empty when it does not select by `label`."""
    return str((subset.get("labels") or {}).get(label) or "")


def subsets_of(rules: Sequence[Document], version: str, label: str) -> list[str]:
    """Names of the subsets that select the version; one that is called like it comes first."""
    names = [str(each.get("name")) for rule in rules for each in subsets(rule) if version_of(each, label) == version]
    return sorted(dict.fromkeys(names), key=lambda name: name != version)


def free_name(rules: Sequence[Document], version: str) -> str:
    """A name for the version's new subset that Istio accepts and nobody has taken."""
    taken = {each.get("name") for rule in rules for each in subsets(rule)}
    plain = re.sub(r"[^a-z0-9-]+", "-", version.lower()).strip("-")[:54] or "candidate"
    names = (plain, *(f"{plain}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def add_subset(
    document: Document, name: str, labels: Mapping[str, str], beside: str, added: tuple[str, datetime]
) -> Document:
    """A copy with the new subset at the end; its traffic policy is that of the subset `beside`.

    `added` is the release and the time, kept in an annotation together with the subset itself.
    """
    edited = with_subset(document, name, labels, beside)
    release, at = added
    _write(edited, ours(edited) | {name: Added(release, at, subsets(edited)[-1])})
    return edited


def with_subset(document: Document, name: str, labels: Mapping[str, str], beside: str) -> Document:
    """A copy with the new subset at the end and no word of who added it; its traffic policy is that of `beside`."""
    edited = copy.deepcopy(document)
    subset: Document = {"name": name, "labels": dict(labels)}
    policy = next((each.get("trafficPolicy") for each in subsets(edited) if each.get("name") == beside), None)
    if policy is not None:
        subset["trafficPolicy"] = copy.deepcopy(policy)
    edited.setdefault("spec", {})["subsets"] = [*subsets(edited), subset]
    return edited


def hand_over(document: Document, name: str, release: str) -> Document | None:
    """A copy where our subset belongs to `release` from now on; None when it is not ours or belongs there already."""
    present = ours(document)
    if name not in present or present[name].release == release:
        return None
    edited = copy.deepcopy(document)
    _write(edited, present | {name: Added(release, present[name].at, present[name].subset)})
    return edited


def remove_added(document: Document, release: str) -> Document | None:
    """A copy without the subsets that this release added and nobody edited since; None when there are none."""
    own = {name: added for name, added in ours(document).items() if added.release == release}
    if not own:
        return None
    edited = copy.deepcopy(document)
    kept = [each for each in subsets(edited) if not _is_untouched(each, own)]
    _put_subsets(edited, kept)
    _write(edited, {name: added for name, added in ours(edited).items() if name not in own})
    return edited


def remove_subset(document: Document, name: str) -> Document | None:
    """A copy without the subset of that name; None when there is none."""
    if all(each.get("name") != name for each in subsets(document)):
        return None
    edited = copy.deepcopy(document)
    _put_subsets(edited, [each for each in subsets(edited) if each.get("name") != name])
    _write(edited, {each: added for each, added in ours(edited).items() if each != name})
    return edited


def ours(document: Mapping[str, Any]) -> dict[str, Added]:
    """The subsets that the annotation records as added by us; an unreadable record is somebody else's edit."""
    text = annotations_of(document).get(ADDED)
    try:
        record = json.loads(text) if text else {}
        return {
            str(name): Added(each["release"], datetime.fromisoformat(each["at"]), each["subset"])
            for name, each in record.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def rule_host(document: Mapping[str, Any]) -> str:
    """The full host that the rule is about."""
    return full_host(str((document.get("spec") or {}).get("host") or ""), namespace_of(document))


def _is_untouched(subset: Document, own: Mapping[str, Added]) -> bool:
    added = own.get(str(subset.get("name")))
    return added is not None and added.subset == subset


def _put_subsets(document: Document, kept: list[Document]) -> None:
    if kept:
        document["spec"]["subsets"] = kept
    else:
        document["spec"].pop("subsets", None)


def _write(document: Document, record: Mapping[str, Added]) -> None:
    plain = {
        name: {"release": added.release, "at": added.at.isoformat(), "subset": added.subset}
        for name, added in sorted(record.items())
    }
    annotate(document, ADDED, json.dumps(plain, separators=(",", ":")) if plain else None)
