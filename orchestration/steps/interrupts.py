"""Ctrl-C, or a polite kill, while a run of Dagster's goes on: heard, whatever it makes of it.

While a run goes on, Dagster's handler stands in for Python's. It stops a step in the middle of
our code; between steps it only makes a note, which is lost if no step follows, and dagster-dbt
drops what comes while it opens its adapter. Python writes each signal to the wake-up file
descriptor, too, whoever handles it.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError

ASKED_TO_END = {signal.SIGINT, signal.SIGTERM}


class _Ear:
    """Remembers that the process was asked to end."""

    def __init__(self, reader: int) -> None:
        self._reader = reader
        self._heard = False

    def heard(self) -> bool:
        with suppress(BlockingIOError):
            self._heard |= not ASKED_TO_END.isdisjoint(os.read(self._reader, 65536))
        return self._heard


_ears: list[_Ear] = []


def was_asked_to_end() -> bool:
    """Say whether SIGINT or SIGTERM has come since `heard_interrupts` began; False outside it."""
    return any(ear.heard() for ear in _ears)


def stop_if_asked() -> None:
    """End the step if somebody wants it to end.

    As a failure, for Dagster tries an interrupted step again where it may be retried.
    """
    if was_asked_to_end():
        raise dg.Failure("Stopped, as asked.", allow_retries=False)


@contextmanager
def stopped_if_asked() -> Iterator[None]:
    """End a step that begins after being asked to end, or fails with an error that came of it.

    Without another try. Ctrl-C reaches child processes and DuckDB's queries, too, whose own errors
    hide it.
    """
    stop_if_asked()
    try:
        yield
    except (Exception, KeyboardInterrupt, DagsterExecutionInterruptedError):
        stop_if_asked()
        raise


@contextmanager
def heard_interrupts() -> Iterator[None]:
    """Listen to what asks the process to end. In other threads than the main one: to nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is told of signals
        return
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    _ears.append(_Ear(reader))
    try:
        yield
    finally:
        _ears.pop()
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)
