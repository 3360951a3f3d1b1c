"""A refusal that names the field, its value and what is allowed."""

from collections.abc import Iterable


class BadInputError(ValueError):
    """Something a caller sent cannot be used."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{field} is {value!r}; allowed is {allowed}")
        self.field = field
        self.value = value
        self.allowed = allowed

    def document(self) -> dict[str, object]:
        """The refusal as JSON."""
        told = {"field": self.field, "value": self.value, "allowed": self.allowed}
        return {"ok": False, "error": "bad_input", **told, "text": str(self)}


def one_of(names: Iterable[str]) -> str:
    """The allowed values in words."""
    return "one of " + ", ".join(sorted(names))
