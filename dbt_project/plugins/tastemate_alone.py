"""Keeps dbt off a home that somebody else is working on.

DuckDB locks its file only while somebody has it open; a forgetting or a run works on more than that
file, and builds only for a part of its time.
"""

import os
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError
from filelock import FileLock, Timeout

LOCK = ".lock"
HELD = "HELD_HOME"
PATIENCE_S = 0.2
"""Somebody may only be looking whether it is free."""


class Plugin(BasePlugin):
    """Refuse to begin while the home's lock is held, but for the dbt of whoever holds it."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        home = Path(plugin_config["home"])
        if os.environ.get(HELD) == str(home.resolve()):
            return
        try:
            with FileLock(home / LOCK).acquire(timeout=PATIENCE_S):
                pass
        except Timeout:
            raise DbtRuntimeError(
                f"{home}: another run is working on this home. Wait for it; tastemate status "
                "tells when it is done."
            ) from None
