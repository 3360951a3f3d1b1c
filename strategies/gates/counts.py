"""Evidence from counts of two versions in the same window: likelihood ratios that chance cannot inflate.

The null is a half-plane `candidate rate <= ratio * baseline rate + offset` (harm) or `>=` (safety). A guess of both
rates, made before the look, is compared with the point of the border that is nearest to it, and under every point of
the null the expected ratio is at most 1, wherever the baseline's rate goes (Turner, Ly, Gruenwald: generic
e-variables for two samples, arXiv 2106.02693). All functions work on arrays of any equal or broadcastable shape.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from strategies.gates.chance import Line

Floats = NDArray[np.float64]

STEPS = (0.09, 0.18, 0.36, 0.7, 1.2, 1.8, 2.7, 4.0, 6.2)  # log odds above the border: from barely worse to an outage
CALM = (0.0, 0.4)  # how far into the tolerated difference a good candidate may sit
FEWEST, MOST = 1e-7, 1 - 1e-7  # a guessed rate is never impossible
_ROUNDS = 200
_CLOSE = 1e-12  # relative; the step that is so small was one of Newton's, and squares the error once more


class Samples(NamedTuple):
    """Requests and bad ones of both versions in one window, as arrays of whole numbers."""

    baseline: Floats
    baseline_bad: Floats
    candidate: Floats
    candidate_bad: Floats


class Border(NamedTuple):
    """Candidate rate = `ratio` x baseline rate + `offset`."""

    ratio: Floats
    offset: Floats


class Guess(NamedTuple):
    """The rates that the evidence bets on; they must not know the look that they are used on."""

    baseline: Floats
    candidate: Floats


def worse(baseline: Floats, border: Border) -> Floats:
    """Guesses of a harmful candidate's rate, shape (..., len(STEPS)), for baseline rates and borders of shape (...).

    NaN where the border leaves no rate beyond it; such a guess gives no evidence.
    """
    on_border = np.maximum(border.ratio * baseline + border.offset, FEWEST)
    on_border = np.where(on_border < MOST, on_border, np.nan)
    return np.asarray(expit(logit(on_border)[..., None] + np.asarray(STEPS)), dtype=np.float64)


def as_good(baseline: Floats, border: Border, depths: tuple[float, ...] = CALM) -> Floats:
    """Guesses of a good candidate's rate, shape (..., len(depths)); NaN where none is safe."""
    on_border = border.ratio * baseline + border.offset
    # Where even the baseline's own rate is asked to be undercut, half of the border is as good a guess as any.
    start = np.where(on_border > baseline, baseline, on_border / 2)
    gap = np.minimum(on_border, MOST) - start
    rates = np.clip(start[..., None] + np.asarray(depths) * np.maximum(gap, 0.0)[..., None], FEWEST, MOST)
    return np.asarray(np.where(rates < on_border[..., None], rates, np.nan), dtype=np.float64)


def log_evidence(seen: Samples, guess: Guess, border: Border) -> Floats:
    """The natural logarithm of each guess's likelihood ratio against the nearest point of the border.

    Zero where a version has no request, and where there is no guess. The direction (harm or safety) is the side of
    the border that the guess lies on.
    """
    nearest = nearest_rates(seen.baseline, seen.candidate, guess, border)
    theirs, ours = nearest
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio = (
            seen.candidate_bad * np.log(guess.candidate / ours)
            + (seen.candidate - seen.candidate_bad) * np.log1p((ours - guess.candidate) / (1 - ours))
            + seen.baseline_bad * np.log(guess.baseline / theirs)
            + (seen.baseline - seen.baseline_bad) * np.log1p((theirs - guess.baseline) / (1 - theirs))
        )
    is_telling = (seen.baseline > 0) & (seen.candidate > 0) & np.isfinite(log_ratio)
    return np.where(is_telling, log_ratio, 0.0)


def information(baseline: Floats, candidate: Floats, guess: Guess, border: Border) -> Floats:
    """What `log_evidence` is expected to be when the guess is right, per request of the candidate; zero without any."""
    theirs, ours = nearest_rates(baseline, candidate, guess, border)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = divergence(guess.candidate, ours) + divergence(guess.baseline, theirs) * baseline / candidate
    return np.where((baseline > 0) & (candidate > 0) & np.isfinite(gain), gain, 0.0)


def divergence(rate: Floats, other: Floats) -> Floats:
    """Kullback-Leibler divergence of two Bernoulli rates strictly between 0 and 1, in nats."""
    rest = (1 - rate) * np.log1p((other - rate) / (1 - other))
    return np.asarray(rate * np.log(rate / other) + rest, dtype=np.float64)


def nats_beyond(totals: Sequence[float], line: Line) -> float:
    """How surely totals (baseline's requests and bad ones, the candidate's) lie beyond the border, in nats; else 0."""
    n0, x0, n1, x1 = totals
    if n0 <= 0 or n1 <= 0 or x1 / n1 <= line.ratio * x0 / n0 + line.offset:
        return 0.0
    rates = (np.asarray(min(max(x / n, FEWEST), MOST)) for x, n in ((x0, n0), (x1, n1)))
    guess, border = Guess(*rates), Border(np.asarray(line.ratio), np.asarray(line.offset))
    theirs, ours = nearest_rates(np.asarray(float(n0)), np.asarray(float(n1)), guess, border)
    nearest = np.clip(ours, FEWEST, MOST), np.clip(theirs, FEWEST, MOST)
    return float(n1 * divergence(guess.candidate, nearest[0]) + n0 * divergence(guess.baseline, nearest[1]))


def nearest_rates(baseline: Floats, candidate: Floats, guess: Guess, border: Border) -> tuple[Floats, Floats]:
    """The rates of baseline and candidate on the border that minimise `sum of requests x divergence` from the guess.

    The slope along the border rises from a pole to a pole, so it has one root: Newton's steps, halving where one
    leaves the bracket. Each element stops by itself, hence the answer does not depend on its neighbours in the array.
    """
    ratio, offset = border
    aim = (guess.candidate - offset) / ratio
    low = np.maximum(np.minimum(guess.baseline, aim), np.maximum(0.0, -offset / ratio))
    high = np.minimum(np.maximum(guess.baseline, aim), np.minimum(1.0, (1.0 - offset) / ratio))
    arrays = np.broadcast_arrays(baseline, candidate, *guess, ratio, offset, low, np.maximum(low, high))
    shape = arrays[0].shape
    rates = _roots(*(np.array(array, dtype=np.float64).ravel() for array in arrays)).reshape(shape)
    return rates, ratio * rates + offset


def _roots(n0: Floats, n1: Floats, a0: Floats, a1: Floats, *line: Floats) -> Floats:
    r, d, low, high = line
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        start = _start(n0, n1, a0, a1, r, d)
        rates = np.where((start > low) & (start < high), start, (low + high) / 2)
        moving = np.flatnonzero((n0 > 0) & (n1 > 0) & (high > low))
        for _ in range(_ROUNDS):
            if moving.size == 0:
                break
            q, at = rates[moving], [array[moving] for array in (n0, n1, a0, a1, r, d)]
            slope, bend = _slope(q, *at)
            low[moving] = np.where(slope < 0, q, low[moving])
            high[moving] = np.where(slope < 0, high[moving], q)
            step = q - slope / bend
            # A bound counts as inside: at the root itself no step is left, and halving would begin anew.
            is_inside = (step >= low[moving]) & (step <= high[moving])
            after = np.where(is_inside, step, (low[moving] + high[moving]) / 2)
            rates[moving] = after
            moving = moving[np.abs(after - q) > _CLOSE * q]
    return rates


def _start(n0: Floats, n1: Floats, a0: Floats, a1: Floats, *line: Floats) -> Floats:
    """The root where rates are rare: with 1 - q taken as 1 the slope's numerator is a parabola."""
    r, d = line
    square, linear, constant = r * (n0 + n1 * r), n0 * (d - a0 * r) + n1 * r * (d - a1), -n0 * a0 * d
    root = np.sqrt(np.maximum(linear * linear - 4 * square * constant, 0.0))
    # Of two ways to write the root, the one that subtracts nothing.
    return np.where(linear > 0, -2 * constant / (linear + root), (root - linear) / (2 * square))


def _slope(q: Floats, n0: Floats, n1: Floats, a0: Floats, a1: Floats, *line: Floats) -> tuple[Floats, Floats]:
    r, d = line
    q1 = r * q + d
    slope = n0 * ((1 - a0) / (1 - q) - a0 / q) + n1 * r * ((1 - a1) / (1 - q1) - a1 / q1)
    bend = n0 * (a0 / q**2 + (1 - a0) / (1 - q) ** 2) + n1 * r * r * (a1 / q1**2 + (1 - a1) / (1 - q1) ** 2)
    return slope, bend
