"""What a model must do whatever its figures are, and the least share of times that it must."""

from typing import NamedTuple

FIRST = 20
"""So many places of an answer are looked at."""
MORE = 3
"""So many places of a category are added."""


class Claim(NamedTuple):
    """A behaviour, and the least that its figure must be."""

    text: str
    least: float


CLAIMS = {
    "any_length": Claim(
        "scores are finite for histories of any length, from none to more than a model reads", 1.0
    ),
    "one_event": Claim(
        "who has been to one place, known or not, gets finite scores that differ", 1.0
    ),
    "unheard_of_places": Claim(
        "who has been only to places that the model does not know gets an answer", 1.0
    ),
    "renamed_place": Claim(
        "what a place that the model does not know is called changes nothing", 1.0
    ),
    "equal_times": Claim(
        f"of the first {FIRST} places most stay when two events of one moment change places", 0.7
    ),
    "added_duplicate": Claim(
        f"of the first {FIRST} places most stay when an event in the middle is told twice", 0.7
    ),
    "dropped_tenth": Claim(
        f"of the first {FIRST} places most stay when a tenth of the events is missing", 0.5
    ),
    "more_of_a_category": Claim(
        f"who goes to {MORE} more places of a category is not told less of it", 0.8
    ),
}
