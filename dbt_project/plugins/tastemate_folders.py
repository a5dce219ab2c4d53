"""The folders of a home that dbt writes to, made before DuckDB opens its file.

DuckDB creates files but no folders, and dbt has no hook before the connection.
"""

from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin


class Plugin(BasePlugin):
    """Make the folders that the profile lists."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        for folder in plugin_config["folders"]:
            (Path(plugin_config["home"]) / folder).mkdir(parents=True, exist_ok=True)
