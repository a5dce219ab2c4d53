"""Directed co-occurrence: what came after which, and where the person has been.

The strongest of the counting methods: a baseline by itself, and what is asked beside the network.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from models_ml.baselines.base import tie_break
from models_ml.baselines.counts import Counting, Counts
from models_ml.baselines.counts_at_once import MOST_PLACES, own_visits, pointed_to
from models_ml.baselines.item_neighbours import Neighbours, nearest
from models_ml.baselines.tuned import Tuned
from models_ml.baselines.tuning import Fit, Settings, climb
from models_ml.data.event_windows import EventWindows

Axes = Mapping[str, tuple[float, ...]]
Pointing = Callable[[Settings], Neighbours]

FADING = (0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0)
"""What is tried of how fast what a place points to fades."""
OWN: Axes = {
    "own_age": (10.0, 20.0, 30.0, 50.0, 100.0, 1e6),
    "own_next": (0.0, 1.0, 2.0, 4.0, 8.0),
}
OWN_HOUR: Axes = {"own_hour": (0.0, 0.5, 1.0, 2.0, 4.0)}
CO_OCCURRENCE: Axes = {
    "follow_power": FADING,
    "power_from": (0.0, 0.15, 0.3, 0.5, 0.65, 0.8, 1.0),
    "power_to": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5),
    "lag_power": (0.3, 0.6, 1.0, 1.5),
}
_KEPT = 4
"""So many batches of what was counted are kept."""
SHARES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.9)


def tune_own_visits(fit: Fit) -> Settings:
    """Tune how fast own visits fade, and what else makes one count more."""
    start = {"own_age": 50.0, "own_next": 4.0, "own_hour": 0.0}
    # Where nobody returns all settings are equal; where times are made up, so are hours.
    axes = {} if fit.excludes_seen else OWN
    if axes and not fit.data.is_time_synthetic:
        start, axes = {**start, "own_hour": 1.0}, {**axes, **OWN_HOUR}
    return climb(
        start,
        axes,
        lambda settings: fit.quality(fit.visiting(Counting("own_visits", own=1.0, **settings))),
    )


def tune_co_occurrence(fit: Fit, own: Settings) -> Settings:
    """Tune it on validation, with *own* visits as `tune_own_visits` has them."""
    pointing, size = following(fit, fit.learned), len(fit.vocabulary)
    equals = tie_break(fit.vocabulary)

    # What is asked next differs in one setting: often one of the two parts is the same still.
    @lru_cache(maxsize=_KEPT)
    def visited(windows: EventWindows) -> NDArray[np.float32]:
        return own_visits(windows, Counting("own_visits", **own), size)

    @lru_cache(maxsize=_KEPT)
    def followed(
        windows: EventWindows, settings: tuple[tuple[str, float], ...]
    ) -> NDArray[np.float32]:
        told = dict(settings)
        return pointed_to(windows, pointing(told), told["follow_power"])

    def quality(settings: Settings) -> float:
        if size > MOST_PLACES:
            return fit.quality(fit.counting(_counts(settings, own, pointing)))
        share = np.float32(settings["own"])
        rest = tuple((name, value) for name, value in settings.items() if name != "own")
        return fit.quality_of(
            lambda windows: (
                equals + share * visited(windows) + (1 - share) * followed(windows, rest)
            )
        )

    return climb(
        {"own": 0.0 if fit.excludes_seen else 0.5, "follow_power": 1.0,
         "power_from": 0.8, "power_to": 0.3, "lag_power": 1.0},
        CO_OCCURRENCE if fit.excludes_seen else {"own": SHARES, **CO_OCCURRENCE},
        quality,
    )  # fmt: skip


def count_co_occurrence(fit: Fit, tuned: Tuned) -> Counts:
    """Count all that is known with the settings that were found best."""
    return _counts(tuned.co_occurrence, tuned.own_visits, following(fit, fit.known))


def _counts(settings: Settings, own: Settings, pointing: Pointing) -> Counts:
    share, power = settings["own"], settings["follow_power"]
    counting = Counting("co_occurrence", own=share, follow=1.0 - share, follow_power=power, **own)
    return Counts(counting, pointing(settings))


def following(fit: Fit, events: NDArray[np.int64]) -> Pointing:
    """Point by what came after, divided by powers of how often both places were visited.

    Asked for settings as `tune_co_occurrence` finds them.
    """
    often = np.maximum(1.0, fit.visits(events))
    counted = lru_cache(maxsize=1)(partial(fit.follows, events))

    @lru_cache(maxsize=1)
    def neighbours(lag_power: float, power_to: float) -> Neighbours:
        return nearest(counted(lag_power), often**-power_to)

    return lambda settings: neighbours(settings["lag_power"], settings["power_to"]).scaled(
        often ** -settings["power_from"]
    )
