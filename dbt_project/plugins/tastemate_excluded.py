"""The people who count in no features, training or targets, as the variable `excluded_people`.

They are told by pseudonym in `excluded_people.csv` of the home, which need not be there.
"""

import csv
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

FILE = "excluded_people.csv"
COLUMNS = ["user_id", "since", "until"]
PSEUDONYM = re.compile("[0-9a-f]{32}")
TYPE = "struct(user_id varchar, since timestamptz, until timestamptz)[]"


class Plugin(BasePlugin):
    """Tell every connection of dbt who is excluded, and from when until when."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        path = Path(plugin_config["home"]) / FILE
        self._people = _read(path) if path.exists() else []

    def configure_cursor(self, cursor: Any) -> None:
        """Set the variable, which each cursor has for itself."""
        cursor.execute(
            f"set variable excluded_people = cast([{', '.join(self._people)}] as {TYPE})"
        )


def _read(path: Path) -> list[str]:
    """Read everybody as SQL has them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if list(rows.fieldnames or ()) != COLUMNS:
            raise DbtRuntimeError(
                f"{path}: the first line has to be {','.join(COLUMNS)}, and each further line a "
                "pseudonym, a moment, and another one or nothing."
            )
        return [_person(f"{path}, line {rows.line_num}", row) for row in rows]


def _person(where: str, row: dict[str, Any]) -> str:
    if not PSEUDONYM.fullmatch(row["user_id"] or ""):
        # What stands there may be somebody's id, which no log should have.
        raise DbtRuntimeError(
            f"{where}: user_id is no pseudonym, which has 32 hex digits. tastemate who USER tells "
            "it."
        )
    since, until = _moment(where, "since", row), _moment(where, "until", row)
    return f"row('{row['user_id']}', {since}, {until})"


def _moment(where: str, column: str, row: dict[str, Any]) -> str:
    text = (row[column] or "").strip()
    if column == "until" and not text:
        return "null"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DbtRuntimeError(
            f"{where}: {column} is {text!r}, which is no moment such as 2026-01-31 or "
            "2026-01-31T12:00:00Z."
        ) from None
    return f"'{(moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()}'"
