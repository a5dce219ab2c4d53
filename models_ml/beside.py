"""Work that goes on beside other work, in a thread that holds up nobody who wants to end it."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Beside(Generic[_T]):
    """A call that has begun; `result` waits for what it gives, or raises what it raised."""

    def __init__(self, call: Callable[[], _T]) -> None:
        """Begin with *call*."""
        self._found: _T | None = None
        self._error: BaseException | None = None
        self._call = call
        # A daemon, unlike the threads of a pool: whoever ends the process does not wait for it.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._found = self._call()
        except BaseException as error:  # noqa: BLE001 - raised where the result is wanted
            self._error = error

    def result(self) -> _T:
        """Wait for what the call gives."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._found  # type: ignore[return-value]  # what the call gave, be it None
