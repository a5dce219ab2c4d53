"""Made-up histories of checks whose truth is known, for `tests/bench/checks.py`.

Rows go wrong after one of eight laws, and are checked after one of four habits. A count per check
is drawn from the binomial distribution, which is what drawing each of its rows would give.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy import stats

from orchestration.reliability.survival import TARGET, Check, Floats

Law = Callable[[Floats], Floats]
WRONG_ROWS = (15, 1000)
"""How many wrong rows a history may be expected to hold."""


@dataclass(frozen=True)
class History:
    """Checks, and the truth: what share is wrong after some days; *oracle* days give the target."""

    law: str
    habit: str
    checks: list[Check]
    share_at: Law
    oracle: float


def make(seed: int, clump: int = 1) -> History:
    """Make one history, whose oracle says half the shortest gap to 1.5 times the longest.

    clump   wrong rows come by so many on average, as from damaged files; 1: each by itself
    """
    random = np.random.default_rng([20, seed])
    law, habit = list(LAWS)[seed % len(LAWS)], list(HABITS)[seed // len(LAWS) % len(HABITS)]
    while True:
        gaps = HABITS[habit](random)
        oracle = float(np.exp(random.uniform(np.log(gaps.min() / 2), np.log(gaps.max() * 1.5))))
        rows = int(np.exp(random.uniform(np.log(400_000), np.log(1_000_000))))
        share_at = LAWS[law](random, oracle)
        expected = rows * share_at(gaps)
        if WRONG_ROWS[0] <= expected.sum() <= WRONG_ROWS[1]:
            break
    wrong = _drawn(random, rows, share_at(gaps), clump)
    checks = [Check(float(gap), rows, int(n)) for gap, n in zip(gaps, wrong, strict=True)]
    return History(law, habit, checks, share_at, oracle)


def _drawn(random: Generator, rows: int, shares: Floats, clump: int) -> Floats:
    if clump == 1:
        return random.binomial(rows, shares)
    incidents = random.poisson(rows * shares / clump)
    return np.array([random.geometric(1 / clump, size=n).sum() for n in incidents])


def _nightly(random: Generator) -> Floats:
    """Each night, some left out, some by hand in between."""
    nights = random.choice([1, 1, 1, 1, 2, 3, 4], random.integers(7, 31))
    by_hand = random.uniform(0.1, 0.6, max(2, len(nights) // 6))
    return np.concatenate([nights * np.exp(random.normal(0, 0.05, len(nights))), by_hand])


def _weekly(random: Generator) -> Floats:
    weeks = 7 * np.exp(random.normal(0, 0.1, random.integers(4, 17)))
    return np.concatenate([weeks, random.uniform(0.5, 5, max(2, len(weeks) // 3))])


def _now_and_then(random: Generator) -> Floats:
    return np.exp(random.uniform(np.log(0.25), np.log(21), random.integers(6, 26)))


def _staggered(random: Generator) -> Floats:
    return np.repeat([0.25, 0.5, 1, 2, 4, 8, 16], random.integers(1, 4))


HABITS = {
    "nightly": _nightly,
    "weekly": _weekly,
    "now and then": _now_and_then,
    "staggered": _staggered,
}


def _weibull(shape: float, oracle: float) -> Law:
    hazard = -np.log1p(-TARGET)
    return lambda days: -np.expm1(-hazard * (days / oracle) ** shape)


def _lognormal(random: Generator, oracle: float) -> Law:
    spread = random.uniform(1.5, 3)
    return lambda days: stats.norm.cdf(stats.norm.ppf(TARGET) + np.log(days / oracle) / spread)


def _loglogistic(random: Generator, oracle: float) -> Law:
    shape, odds = random.uniform(0.6, 1.8), TARGET / (1 - TARGET)
    return lambda days: odds * (days / oracle) ** shape / (1 + odds * (days / oracle) ** shape)


def _few_fragile(random: Generator, oracle: float) -> Law:
    """A small share of the rows goes wrong soon, the rest hardly ever."""
    soon = random.uniform(0.4, 0.9) * TARGET
    fragile = max(TARGET * np.exp(random.uniform(np.log(0.3), np.log(20))), 1.5 * soon)
    fast, slow = -np.log1p(-soon / fragile) / oracle, (TARGET - soon) / oracle
    return lambda days: -fragile * np.expm1(-fast * days) - (1 - fragile) * np.expm1(-slow * days)


def _bathtub(random: Generator, oracle: float) -> Law:
    early, late, part = (random.uniform(*ends) for ends in ((0.4, 0.8), (1.5, 2.5), (0.2, 0.8)))
    return lambda days: (
        -np.expm1(
            -TARGET * (part * (days / oracle) ** early + (1 - part) * (days / oracle) ** late)
        )
    )


def _gompertz(random: Generator, oracle: float) -> Law:
    growth = random.uniform(0.3, 2)
    return lambda days: -np.expm1(-TARGET * np.expm1(growth * days / oracle) / np.expm1(growth))


LAWS: dict[str, Callable[[Generator, float], Law]] = {
    "constant hazard": lambda _, oracle: _weibull(1.0, oracle),
    "falling hazard": lambda random, oracle: _weibull(random.uniform(0.5, 0.9), oracle),
    "rising hazard": lambda random, oracle: _weibull(random.uniform(1.2, 2.5), oracle),
    "lognormal": _lognormal,
    "loglogistic": _loglogistic,
    "few fragile": _few_fragile,
    "bathtub": _bathtub,
    "gompertz": _gompertz,
}
