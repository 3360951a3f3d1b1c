"""Random series as a scraper leaves them: jitter, resets, gaps, stale marks, odd values."""

from __future__ import annotations

import math
from random import Random

from bot.sandbox.prometheus.samples import STALE
from tests.contract.prometheus.remote_write import Samples

BASE = 1_700_000_000_000
SECONDS = 420
Series = list[tuple[dict[str, str], Samples]]
BUCKETS = ("1", "5", "25", "100", "500", "+Inf")
ODD = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-9, -7.25, 1e21)


def random_series(seed: int) -> Series:
    """Counters, histograms, gauges and constants of two applications, always the same for a seed."""
    random = Random(seed)
    series: Series = []
    for app in ("shop", "cart"):
        series.append(({"__name__": "quota", "app": app}, _flat(random)))
        for version in ("v1", "v2"):
            for pod in range(random.randint(1, 3)):
                place = {"app": app, "version": version, "pod": f"{version}-{pod}"}
                series += _counters(random, place)
                series += _histogram(random, place)
                series.append(({"__name__": "heat", **place}, gauge(random)))
    return series


def moments(seed: int, count: int) -> list[int]:
    """Instants to ask at: on samples, between them, at the edges and after the end."""
    random = Random(seed * 7919)
    inside = [BASE + random.randrange(SECONDS * 1000) for _ in range(count - 4)]
    return [*inside, BASE, BASE + 60_000, BASE + SECONDS * 1000, BASE + (SECONDS + 299) * 1000]


def scrape_times(random: Random) -> list[int]:
    """Scrape times of one series, with a late start, an early end and a gap now and then."""
    step = random.choice((1000, 5000, 15_000))
    jitter = random.choice((0, 0, 40))
    times = [BASE + at + random.randint(0, jitter) for at in range(0, SECONDS * 1000, step)]
    if random.random() < 0.3:
        times = times[random.randrange(len(times) // 2) :]
    if random.random() < 0.3:
        times = times[: len(times) // 2 + random.randrange(len(times) // 2)]
    if random.random() < 0.4:
        gap = random.randrange(len(times))
        del times[gap : gap + random.randint(1, 20)]
    return times


def marked(random: Random, times: list[int], values: list[float]) -> Samples:
    """The same, of one series in two with up to three marks that it vanished."""
    samples = list(zip(times, values, strict=True))
    if random.random() < 0.5 and len(samples) > 3:
        for index in random.sample(range(1, len(samples)), random.randint(1, 3)):
            samples[index] = samples[index][0], STALE
    return samples


def _counters(random: Random, place: dict[str, str]) -> Series:
    found: Series = []
    for code in random.sample(("200", "404", "503"), random.randint(1, 3)):
        found.append(({"__name__": "hits_total", "code": code, **place}, counted(random)))
    return found


def counted(random: Random) -> Samples:
    """A counter, which begins anew now and then."""
    times, total, values = scrape_times(random), float(random.choice((0, 3, 1_000_000))), []
    resets = random.choice((0.0, 0.02))
    for _ in times:
        total = float(random.randint(0, 3)) if random.random() < resets else total + random.randint(0, 50)
        values.append(total)
    return marked(random, times, values)


def _histogram(random: Random, place: dict[str, str]) -> Series:
    times = scrape_times(random)
    counts, rows = [0.0] * len(BUCKETS), []
    for _ in times:
        for _ in range(random.randint(0, 6)):
            for index in range(random.randrange(len(BUCKETS)), len(BUCKETS)):
                counts[index] += 1
        rows.append(list(counts))
    return [
        ({"__name__": "took_bucket", "le": bound, **place}, list(zip(times, column, strict=True)))
        for bound, column in zip(BUCKETS, zip(*rows, strict=True), strict=True)
    ]


def gauge(random: Random) -> Samples:
    """What goes up and down, and is no number or infinite now and then."""
    times = scrape_times(random)
    odd = random.choice((0.0, 0.05))
    values = [random.choice(ODD) if random.random() < odd else round(random.uniform(-5, 40), 3) for _ in times]
    return marked(random, times, values)


def _flat(random: Random) -> Samples:
    value = float(random.randint(1, 9))
    return [(at, value) for at in range(BASE, BASE + SECONDS * 1000, 5000)]
