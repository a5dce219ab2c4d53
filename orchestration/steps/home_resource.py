"""What assets are given: the home they work on, and who may work on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout

from serving.home import Home

STARTED_HERE = {"tastemate/started_by": "tastemate run"}
"""The tags of runs that hold the home themselves."""


class BusyError(RuntimeError):
    """Another process is working on the home."""


@contextmanager
def alone(home: Home) -> Iterator[None]:
    """Hold the home for one run; the system lets go of it when the process ends in any way.

    Raises:
        BusyError: another run holds the home.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home.root / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise BusyError(
            f"{home.root}: another run is working on this home. Wait for it, or use another: "
            "tastemate --home DIR"
        ) from None
    try:
        yield
    finally:
        lock.release()


class HomeResource(dg.ConfigurableResource):
    """The home whose state the assets read and write."""

    root: str

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Refuse a run of Dagster's own on a home that `tastemate run` is working on."""
        run = context.run
        if run is not None and not STARTED_HERE.items() <= run.tags.items():
            with alone(self.paths()):
                return

    def paths(self) -> Home:
        """Give the home's layout."""
        return Home(Path(self.root))
