"""Access reviews. The holder of the token may do everything, anybody else nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.kubernetes.problems import Cause, invalid

if TYPE_CHECKING:
    from bot.sandbox.kubernetes.store import Document

REVIEW_GROUP = "authorization.k8s.io"
REVIEWS = {
    "selfsubjectaccessreviews": "SelfSubjectAccessReview",
    "subjectaccessreviews": "SubjectAccessReview",
    "localsubjectaccessreviews": "LocalSubjectAccessReview",
}
HOLDER = "admin"
MASTERS = "system:masters"


def reviewed(plural: str, review: Document) -> Document:
    """The review with its status; refused when it names no action or no subject."""
    name = REVIEWS[plural]
    spec = review.get("spec") or {}
    causes = []
    if ("resourceAttributes" in spec) == ("nonResourceAttributes" in spec):
        told = "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified"
        causes.append(Cause("spec.resourceAttributes", "FieldValueInvalid", told))
    is_self = plural.startswith("self")
    if not is_self and not spec.get("user") and not spec.get("groups"):
        told = 'Invalid value: "": at least one of user or group must be specified'
        causes.append(Cause("spec.user", "FieldValueInvalid", told))
    if causes:
        raise invalid(name, REVIEW_GROUP, "", causes)
    allowed = is_self or spec.get("user") == HOLDER or MASTERS in (spec.get("groups") or ())
    return {
        "kind": name,
        "apiVersion": f"{REVIEW_GROUP}/v1",
        "metadata": review.get("metadata") or {},
        "spec": spec,
        "status": {"allowed": allowed},
    }
