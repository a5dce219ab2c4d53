"""The fingerprint of the project's macros and settings, as the variable `project_fingerprint`.

An incremental build is worth what a full refresh is only while the SQL is the one that made what
it adds to. dbt tells Jinja a checksum of each model, but none of macros, and Jinja reads no files.
"""

import hashlib
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin

PROJECT = Path(__file__).resolve().parents[1]


class Plugin(BasePlugin):
    """Tell every connection of dbt what the project is."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:  # noqa: ARG002 - the interface
        digest = hashlib.sha256()
        for path in (
            PROJECT / "dbt_project.yml",
            *sorted(PROJECT.glob("macros/**/*.sql")),
        ):
            digest.update(path.relative_to(PROJECT).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
        self._fingerprint = digest.hexdigest()

    def configure_cursor(self, cursor: Any) -> None:
        """Set the variable, which each cursor has for itself."""
        cursor.execute(f"set variable project_fingerprint = '{self._fingerprint}'")
