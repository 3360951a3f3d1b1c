"""Two kinds of trouble that are raised (the third, Refused, is a value).

SluiceError
 ├─ Transient    try again later, with backoff
 └─ Fault        no retry cures it: stop the release, tell the operator
"""


class SluiceError(Exception):
    """Trouble that an adapter translated; the library's own error is the cause."""


class Transient(SluiceError):
    """A neighbour did not answer, or refused for the moment. `retry_after` is in seconds, None when not told."""

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Fault(SluiceError):
    """A neighbour refused for good: forbidden, gone, or not what we can edit."""
