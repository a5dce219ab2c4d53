"""The warehouse: a DuckDB file that one process at a time may open for writing."""

import re
import time

import duckdb

from orchestration.home.console import say
from serving.home import Home

PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.5
_HOLDER = re.compile(r"\(PID (\d+)\)")


class WarehouseHeldError(RuntimeError):
    """Another process has the warehouse open."""


def wait_until_free(home: Home, patience_s: float = PATIENCE_S) -> None:
    """Wait for whoever has the warehouse open, such as a shell, to close it.

    Raises:
        WarehouseHeldError: it is still open after *patience_s* seconds.
    """
    end = time.monotonic() + patience_s
    is_told = False
    while home.warehouse.exists():
        try:
            duckdb.connect(home.warehouse).close()
        except duckdb.IOException as error:
            if "lock" not in str(error):
                raise
            held = f"{home.warehouse}: {_holder(str(error))} has it open"
            if time.monotonic() > end:
                raise WarehouseHeldError(
                    f"{held}. End that session, and ask the copy that is published for analysts "
                    "instead: docs/how-to/ask-the-marts.md"
                ) from None
            if not is_told:
                say(f"{held}; waiting for up to {patience_s:.0f} s")
                is_told = True
            time.sleep(_LOOK_EVERY_S)
        else:
            return


def _holder(message: str) -> str:
    found = _HOLDER.search(message)
    return f"process {found[1]}" if found else "another process"
