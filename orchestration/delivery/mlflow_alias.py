"""Which release is live, said in MLflow's SQLite records without MLflow.

Loading MLflow and opening its store take two and a half seconds of processor time, more than all
else that a promotion does. Where the records know the release, three rows change, and those only if
the tables are as MLflow 3 has them; else whoever calls goes through MLflow.
"""

import os
import sqlite3
from contextlib import closing

from serving import champion
from serving.home import Home

NAME = "tastemate"
"""Of the experiment and of the registered model."""
LIVE = "champion"
"""The alias of the version that is live."""
RELEASE, INDEX, REASON = "release_id", "index_id", "reason"
"""Tags of a version."""
_PATIENCE_S = 5.0


def move_alias(home: Home) -> bool:
    """Point the alias at the version of the release that is live; say whether that could be done.

    Nothing is changed where it could not.
    """
    if os.environ.get("TASTEMATE_MLFLOW") or not home.mlflow_database.exists():
        return False
    live = champion.read(home)
    try:
        with closing(sqlite3.connect(home.mlflow_database, timeout=_PATIENCE_S)) as records:
            moved = _moved(records, live)
            if moved:
                records.commit()
            return moved
    except sqlite3.Error:
        return False


def _moved(records: sqlite3.Connection, live: champion.Champion) -> bool:
    versions = records.execute(
        "select version, workspace from model_version_tags where (name, key, value) = (?, ?, ?)",
        (NAME, RELEASE, live.release_id),
    ).fetchall()
    if len(versions) != 1:
        return False
    (version, workspace) = versions[0]
    changed = [
        records.execute(
            "update model_version_tags set value = ? "
            "where (name, version, workspace, key) = (?, ?, ?, ?)",
            (value, NAME, version, workspace, key),
        ).rowcount
        for key, value in ((INDEX, live.index_id), (REASON, live.reason))
    ]
    changed.append(
        records.execute(
            "update registered_model_aliases set version = ? "
            "where (name, workspace, alias) = (?, ?, ?)",
            (version, NAME, workspace, LIVE),
        ).rowcount
    )
    return changed == [1, 1, 1]
