"""The token for questions asked of other systems: sent to the hosts that were named for it, and to nobody else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bot.hooks.hosts import is_loopback

UNAUTHORISED = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and the hosts (`name` or `name:port`) that it is for; over https, or on this machine."""

    value: str = field(default="", repr=False)
    hosts: frozenset[str] = frozenset()

    def headers(self, url: str) -> Mapping[str, str]:
        """The header for this address; empty where the token is not for its host, or would travel in the clear."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        is_meant = bool(self.hosts & {host, parts.netloc.rpartition("@")[2].lower()})
        is_safe = parts.scheme == "https" or is_loopback(host)
        return {"Authorization": f"Bearer {self.value}"} if self.value and is_meant and is_safe else {}


def remark(status: int, sent: Mapping[str, str]) -> str:
    """What to add where somebody answers that a token is missing or wrong; empty for any other answer."""
    if status not in UNAUTHORISED:
        return ""
    if sent:
        return " It does not take SLUICE_HOOKS_TOKEN."
    return " It wants a token: SLUICE_HOOKS_TOKEN is sent over https to the hosts in SLUICE_HOOKS_HOSTS alone."
