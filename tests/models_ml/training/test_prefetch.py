"""Work done ahead of its turn."""

import threading
import time
from collections.abc import Iterator

import pytest

from models_ml.training.prefetch import ahead


def test_results_come_in_the_order_of_the_items() -> None:
    def make(item: int) -> int:
        time.sleep(0.002 * (item % 3))
        return item * item

    assert list(ahead(make, range(20), threads=3, depth=6)) == [n * n for n in range(20)]


def test_what_goes_wrong_is_raised_in_its_turn() -> None:
    def make(item: int) -> int:
        if item == 2:
            raise ValueError("two")
        return item

    told = ahead(make, range(5), threads=2, depth=4)
    assert [next(told), next(told)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(told)


def test_no_more_is_made_in_advance_than_was_asked_for() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    told = ahead(str, items(), threads=1, depth=3)
    assert next(told) == "0"
    assert len(taken) == 4
    told.close()
    assert len(taken) == 4


def test_each_thread_begins_by_itself() -> None:
    begun: list[int] = []
    list(
        ahead(
            lambda item: item,
            range(10),
            threads=2,
            depth=4,
            begin=lambda: begun.append(threading.get_ident()),
        )
    )
    assert begun
    assert len(set(begun)) == len(begun)
    assert threading.get_ident() not in begun
