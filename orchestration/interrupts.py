"""Ctrl-C, or a polite kill, while a run of Dagster's goes on: heard, whatever it makes of it."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ASKED_TO_END = {signal.SIGINT, signal.SIGTERM}


@contextmanager
def heard_interrupts() -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether SIGINT or SIGTERM has come since the block began.

    While a run goes on, Dagster's handler stands in for Python's. It stops a step in the middle of
    our code; between steps it only makes a note, which is lost if no step follows. Python writes
    each signal to the wake-up file descriptor, too, whoever handles it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False  # only the main thread is told of signals
        return
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield lambda: not ASKED_TO_END.isdisjoint(_read(reader))
    finally:
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)


def _read(reader: int) -> bytes:
    try:
        return os.read(reader, 65536)
    except BlockingIOError:
        return b""
