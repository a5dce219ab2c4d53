"""Why no place is left: by what was asked for, as the release has it."""

import numpy as np
import pytest

from models_ml.data.training_set import PlaceTable
from serving.catalogue import Catalogue


@pytest.fixture
def catalogue() -> Catalogue:
    """A bar in the north, a cafe in the south."""
    counts = np.ones(2, dtype=np.int64)
    return Catalogue(PlaceTable(
        ["p1", "p2"], [["bar"], ["cafe"]], ["north", "south"], [None, None], [None, None], counts
    ))  # fmt: skip


def test_what_is_shown_and_filtered_by_is_what_was_known_last() -> None:
    """A model goes on with what it has learned from."""
    nowhere, counts = np.full(1, np.nan), np.ones(1, dtype=np.int64)
    told = PlaceTable(
        ["p1"], [["cafe"]], ["south"], nowhere, nowhere, counts,
        current_category_codes=[["bar"]], current_district_codes=["north"],
    )  # fmt: skip
    catalogue = Catalogue(told)
    assert (catalogue.category_codes, catalogue.district_codes) == ([["bar"]], ["north"])
    wanted = {"district_code": None, "hidden_place_ids": ()}
    assert catalogue.allowed(category_code="bar", **wanted).all()
    assert not catalogue.allowed(category_code="cafe", **wanted).any()


@pytest.mark.parametrize(
    ("category", "district", "why"),
    [
        (None, None, "No place of this release is left that the user does not know."),
        (
            "bar",
            "north",
            (
                "No place of this release of the category 'bar' and in the district 'north' is "
                "left that the user does not know."
            ),
        ),
        (
            "bar",
            "south",
            (
                "There is no place of the category 'bar' and in the district 'south' in this "
                "release."
            ),
        ),
        ("bra", "south", "No place of this release is of the category 'bra'. Is 'bar' meant?"),
    ],
)
def test_a_hint_says_why(
    catalogue: Catalogue, category: str | None, district: str | None, why: str
) -> None:
    assert catalogue.why_none(category, district) == why
