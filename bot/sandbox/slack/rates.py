"""Slack's rate limits: a bucket per workspace and method, or per channel for posts."""

import math
from dataclasses import dataclass
from enum import Enum

from bot.sandbox.slack.clock import Clock
from bot.sandbox.slack.wire import ApiError


class Tier(Enum):
    """How often a method may be called: (per minute, at once)."""

    ONE = (1, 10)
    TWO = (20, 20)
    THREE = (50, 50)
    FOUR = (100, 100)
    POST = (0, 0)
    UNLIMITED = (math.inf, 1)


class RateLimitedError(ApiError):
    """429: the caller comes back after `retry_after` whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("ratelimited")
        self.retry_after = retry_after


@dataclass(slots=True)
class _Bucket:
    level: float
    filled_at: float


class Rates:
    """Buckets that calls draw from; `enabled` may be switched at any time."""

    def __init__(self, clock: Clock, *, enabled: bool, posts_per_second: float, post_burst: int) -> None:
        self.enabled = enabled
        self._clock = clock
        self._posts = (posts_per_second, post_burst)
        self._buckets: dict[tuple[str, ...], _Bucket] = {}

    def draw(self, tier: Tier, *key: str) -> None:
        """Take one call's worth; refused when the bucket is empty."""
        if not self.enabled or tier is Tier.UNLIMITED:
            return
        per_second, burst = self._posts if tier is Tier.POST else (tier.value[0] / 60, tier.value[1])
        now = self._clock()
        bucket = self._buckets.setdefault(key, _Bucket(burst, now))
        bucket.level = min(burst, bucket.level + (now - bucket.filled_at) * per_second)
        bucket.filled_at = now
        if bucket.level < 1:
            raise RateLimitedError(max(1, math.ceil((1 - bucket.level) / per_second)))
        bucket.level -= 1
