"""Refusals in the form of Kubernetes `Status` objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.sandbox.kubernetes.kinds import Kind


@dataclass(frozen=True)
class Cause:
    """One wrong field: its path, the machine's reason and the sentence."""

    field: str
    reason: str
    message: str

    def document(self) -> dict[str, str]:
        """The cause as the wire carries it."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


class ApiError(Exception):
    """A request is refused; `status` is the body that says why."""

    def __init__(self, code: int, reason: str, message: str, *, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status: dict[str, object] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "code": code,
        }
        if reason:
            self.status["reason"] = reason
        if details is not None:
            self.status["details"] = dict(details)


def details(kind: Kind, name: str) -> dict[str, object]:
    """The part of a Status that names the object; the core group has no name of its own."""
    found: dict[str, object] = {"name": name, "kind": kind.plural}
    if kind.group:
        found["group"] = kind.group
    return found


def not_found(kind: Kind, name: str) -> ApiError:
    """404: no such object."""
    return ApiError(404, "NotFound", f'{kind.resource} "{name}" not found', details=details(kind, name))


def no_such_path() -> ApiError:
    """404: no such resource at all."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", details={})


def already_exists(kind: Kind, name: str) -> ApiError:
    """409 on create."""
    message = f'{kind.resource} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, details=details(kind, name))


def modified(kind: Kind, name: str) -> ApiError:
    """409: the caller wrote from an old resourceVersion."""
    message = (
        f'Operation cannot be fulfilled on {kind.resource} "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    return ApiError(409, "Conflict", message, details=details(kind, name))


def precondition(kind: Kind, name: str, why: str) -> ApiError:
    """409 on delete: the caller's precondition does not hold."""
    # Alone among the conflicts this one names the kind, not the plural.
    message = f'Operation cannot be fulfilled on {kind.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", message, details={**details(kind, name), "kind": kind.name})


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BadRequest", message)


def invalid(kind: str, group: str, name: str, causes: Sequence[Cause]) -> ApiError:
    """422 with a cause for each wrong field."""
    sentences = [f"{each.field}: {each.message}" for each in causes]
    told = sentences[0] if len(sentences) == 1 else f"[{', '.join(sentences)}]"
    whole = f"{kind}.{group}" if group else kind
    found: dict[str, object] = {"kind": kind, "causes": [each.document() for each in causes]}
    found |= {"name": name} if name else {}
    found |= {"group": group} if group else {}
    return ApiError(422, "Invalid", f'{whole} "{name}" is invalid: {told}', details=found)


def untyped(target: str, why: str) -> ApiError:
    """500: an applied document that does not fit the schema; the real server blames itself too."""
    return ApiError(500, "", f"failed to create typed patch object ({target}): {why}")


def patch_rejected() -> ApiError:
    """422: a JSON patch whose test fails or whose path is absent."""
    message = "the server rejected our request due to an error in our request"
    return ApiError(422, "Invalid", message, details={})


def unsupported_media(accepted: Sequence[str]) -> ApiError:
    """415."""
    listed = ", ".join(accepted)
    message = f"the body of the request was in an unknown format - accepted media types include: {listed}"
    return ApiError(415, "UnsupportedMediaType", message)


def gone(message: str) -> ApiError:
    """410: history before this point is forgotten; list again."""
    return ApiError(410, "Expired", message)


def method_not_allowed() -> ApiError:
    """405."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, details={})


def unauthorised() -> ApiError:
    """401: the token is not the one that was set."""
    return ApiError(401, "Unauthorized", "Unauthorized")
