"""What one route's destinations say now: read without changing anything."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.mesh.documents import Document
from bot.mesh.places import host_of, subset_of
from bot.mesh.weights import percents
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target
from strategies.routing import HUNDRED, Split, percent


@dataclass(frozen=True, slots=True)
class Share:
    """One destination: its full host, its subset, and the percent of the route's requests it serves."""

    host: str
    subset: str
    percent: Decimal

    def __str__(self) -> str:
        """`reviews.shop.svc.cluster.local subset v1 at 95 %`."""
        subset = f" subset {self.subset}" if self.subset else ""
        return f"{self.host}{subset} at {percent(self.percent)}"


def shares(entry: Document, namespace: str, *, is_ours: bool) -> list[Share] | Refused:
    """Every destination of the route with its percent; refused when the weights are no whole."""
    destinations = entry.get("route") or []
    written = [each.get("weight") for each in destinations]
    values = percents(written, is_ours=is_ours)
    if values is None:
        odd = next((each for each in written if each is not None and type(each) is not int), None)
        if odd is not None:
            text = f"A weight of the route is {odd!r}; weights are whole numbers that sum to 100."
            return Refused(ReasonCode.WEIGHTS_SUM, text)
        listed = ", ".join("absent" if weight is None else str(weight) for weight in written)
        return Refused(ReasonCode.WEIGHTS_SUM, f"The weights of the route are {listed}; they must sum to 100.")
    return [
        Share(host_of(each, namespace), subset_of(each), value)
        for each, value in zip(destinations, values, strict=True)
    ]


def split_of(present: Sequence[Share], target: Target) -> Split | Refused:
    """The shares as a split of baseline and candidate.

    Another destination is refused unless it serves nothing: an earlier release leaves its old version at 0.
    """
    versions = {target.subsets.get(version, version): version for version in (target.baseline, target.candidate)}
    weights: dict[str, Decimal] = {}
    for share in present:
        version = versions.get(share.subset) if share.host == target.host else None
        if version is not None and version not in weights:
            weights[version] = share.percent
        elif share.host == target.host and not share.subset:
            return Refused(ReasonCode.NO_SUBSET, f"A destination to {share.host} names no subset.")
        elif share.percent:
            wanted = f"{target.baseline} and {target.candidate}"
            text = f"The route also sends to {share}, which is neither of {wanted}."
            return Refused(ReasonCode.FOREIGN_DESTINATION, text)
    if sum(weights.values()) != HUNDRED:
        text = f"The route sends nothing to {target.baseline} or {target.candidate}."
        return Refused(ReasonCode.FOREIGN_DESTINATION, text)
    return Split({version: weights.get(version, Decimal(0)) for version in (target.baseline, target.candidate)})


def original_split(original: str, target: Target, namespace: str) -> Split | Refused:
    """The split that captured fields stand for; nothing captured means all to the baseline."""
    if not original:
        return Split({target.baseline: HUNDRED, target.candidate: Decimal(0)})
    present = shares(json.loads(original), namespace, is_ours=True)
    return present if isinstance(present, Refused) else split_of(present, target)
