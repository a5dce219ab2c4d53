"""Work beside other work."""

import threading

import pytest

from models_ml.beside import Beside


def test_what_a_call_gives_is_waited_for() -> None:
    may_end = threading.Event()
    begun = Beside(lambda: may_end.wait(10) and 42)
    may_end.set()
    assert (begun.result(), begun.result()) == (42, 42)


def test_what_a_call_raises_is_raised_where_it_is_wanted() -> None:
    begun = Beside(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        begun.result()
