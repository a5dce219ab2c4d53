"""Drift: after the year a fashion comes up, and what people wish for is no longer what it was."""

from dataclasses import replace

import numpy as np

from orchestration.sample.city import CATEGORIES, TASTES
from orchestration.sample.life import World
from orchestration.sample.past import Past, chance_of_all_days

_CATEGORIES = 2
_FOLLOWED = 0.9
"""How often a wish, and what follows from a step, is for one of the categories in fashion."""


def in_fashion(past: Past) -> list[str]:
    """Name the categories to which taste drifts."""
    return [CATEGORIES[code] for code in _chosen(past)[1]]


def drifted(past: Past) -> World:
    """Give the world in which people go by the fashion."""
    random, chosen = _chosen(past)
    world = past.world
    wishes = (1 - _FOLLOWED) * world.people.wishes
    wishes[:, chosen] += _FOLLOWED / len(chosen)
    is_followed = random.random((TASTES, len(CATEGORIES))) < _FOLLOWED
    after = np.where(is_followed, random.choice(chosen, is_followed.shape), world.after)
    return replace(world, people=replace(world.people, wishes=wishes), after=after)


def _chosen(past: Past) -> tuple[np.random.Generator, np.ndarray]:
    random, *_ = chance_of_all_days(past)
    return random, random.choice(len(CATEGORIES), _CATEGORIES, replace=False)
