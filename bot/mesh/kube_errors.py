"""Trouble with the Kubernetes API, in words that name object, verb and what is allowed."""

import json

import urllib3.exceptions
from kubernetes.client.exceptions import ApiException

from bot.errors import Fault, SluiceError, Transient
from bot.mesh.rights import Right

FORBIDDEN, NOT_FOUND, CONFLICT, GONE, INVALID, TOO_MANY = 403, 404, 409, 410, 422, 429
UNAUTHORIZED = 401
SERVER_ERROR = 500
# `User "…" cannot update resource "…" in API group "…"`, in the words of every authoriser.
_BY_ROLE = '" cannot '

# What the server says of a path that it does not serve, such as that of a kind nobody has defined.
_NO_SUCH_PATH = "404 page not found"

# The classes that urllib3 raises before a request reached the server: nothing can have been written.
UNSENT = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)


class Conflict(Transient):
    """Somebody wrote the object since it was read; reading it again cures this."""


class LostReply(Transient):
    """The request may or may not have been carried out: the answer never came."""


class Missing(Fault):
    """The object is not there."""


def foreign(status: int) -> ApiException:
    """What a proxy, a gateway or a page that asks to log in has answered by itself: it says nothing of objects."""
    return ApiException(status=0, reason=f"something that is not the Kubernetes API answered with HTTP {status}")


def is_foreign(status: int, body: str) -> bool:
    """True of an answer with an error status that the server has not given: its own are Status documents.

    What it says in plain words, of a path that it does not serve or while it is overloaded, is known by the status.
    """
    if not body or status == TOO_MANY or status >= SERVER_ERROR or body.startswith(_NO_SUCH_PATH):
        return False
    try:
        document = json.loads(body)
    except ValueError:
        return True
    return not (isinstance(document, dict) and document.get("kind") == "Status")


def refused_by_server(problem: ApiException, right: Right, what: str) -> SluiceError:
    """The translation of an answer with an error status."""
    status, verb, told = problem.status or 0, right.verb, message_of(problem)
    if status == CONFLICT:
        return Conflict(f"Somebody else wrote {what} at the same moment: {told}")
    if status == TOO_MANY:
        return Transient(f"The Kubernetes API asks to slow down: {verb} {what}.", retry_after=_retry_after(problem))
    if lacks_right(problem):
        return Fault(f"The Kubernetes API forbids it: {right.lacking}. ({told})")
    if status == NOT_FOUND:
        return Missing(f"The Kubernetes API knows no {what}. ({told})")
    if status == UNAUTHORIZED:
        return Transient(f"The Kubernetes API does not accept Sluice's credentials: {verb} {what}. ({told})")
    if status == 0 or status >= SERVER_ERROR:
        return Transient(f"The Kubernetes API failed to {verb} {what}: {reason_of(problem)}")
    return Fault(f"The Kubernetes API refuses to {verb} {what}: {status} {told}")


def lacks_right(problem: ApiException) -> bool:
    """True when a role forbids it; admission, as by a webhook or a quota, answers with the same status."""
    return problem.status == FORBIDDEN and _BY_ROLE in message_of(problem)


def unanswered(problem: Exception, verb: str, what: str) -> Transient:
    """The translation of a connection that broke or a deadline that passed."""
    text = f"The Kubernetes API did not answer: {verb} {what}: {reason_of(problem)}"
    return Transient(text) if isinstance(problem, UNSENT) else LostReply(text)


def reason_of(problem: BaseException) -> str:
    """The innermost reason, without the library's object names."""
    if isinstance(problem, urllib3.exceptions.NewConnectionError):
        inner = problem.__cause__ or problem.__context__
        return str(inner) if inner is not None else "the connection was refused"
    if isinstance(problem, urllib3.exceptions.ConnectTimeoutError):
        return "the connection timed out"
    if isinstance(problem, urllib3.exceptions.ReadTimeoutError):
        return "no answer within the time allowed"
    if isinstance(problem, ApiException):
        return f"{problem.status or ''} {message_of(problem)}".strip()
    return f"{type(problem).__name__}: {problem}"


def message_of(problem: ApiException) -> str:
    """The server's own sentence, from the Status document in the body where there is one."""
    body = problem.body
    try:
        status = json.loads(body) if body else {}
    except ValueError:
        return str(problem.reason or body)
    told = status.get("message") if isinstance(status, dict) else None
    return str(told or problem.reason or "no reason given")


def _retry_after(problem: ApiException) -> float | None:
    told = (problem.headers or {}).get("Retry-After")
    return float(told) if told and str(told).isdecimal() else None
