"""JSON documents and the refusals Slack answers with."""

import secrets
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


class ApiError(Exception):
    """Slack refuses a call: `{"ok": false, "error": code}` and details."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(code)
        self.code = code
        self.details = details

    def body(self) -> Json:
        """The answer's body."""
        return {"ok": False, "error": self.code, **self.details}


def refused(code: str, problems: list[str]) -> ApiError:
    """A refusal that points at each wrong place, in the two forms Slack gives."""
    marked = [f"[ERROR] {problem}" for problem in problems]
    return ApiError(code, errors=problems, response_metadata={"messages": marked})


def new_id(prefix: str) -> str:
    """An identifier of Slack's look, unguessable and unique."""
    return prefix + secrets.token_hex(5).upper()
