"""The warehouse as analysts get it: a DuckDB file of its own, apart from the one dbt writes.

It is made from the Parquet files that dbt has handed on and renamed into place, so that neither
side ever waits for the other: the build knows nothing of readers, and who has the old file open
goes on reading it.
"""

from pathlib import Path

import duckdb

from orchestration.home.sql import literal
from orchestration.warehouse.dbt_manifest import DbtModel
from orchestration.warehouse.state_hash import HANDED_ON, NotBuiltError, handed_on
from serving.home import Home


def publish_copy(home: Home) -> Path:
    """Write all marts and features, with dbt's descriptions, and put them in the old copy's place.

    Raises:
        NotBuiltError: a model has not been handed on.
    """
    home.analysts.mkdir(parents=True, exist_ok=True)
    draft = home.analyst_copy.with_name(".draft.duckdb")
    for left_by_a_killed_run in home.analysts.glob(f"{draft.name}*"):
        left_by_a_killed_run.unlink()
    with duckdb.connect(draft, config={"threads": 2}) as connection:
        for stage in HANDED_ON:
            connection.execute(f"create schema {stage}")
        for model in handed_on(home):
            _write_table(connection, home, model)
    # Who opens it to write is told so, instead of changing what others read.
    draft.chmod(0o444)
    return draft.replace(home.analyst_copy)


def _write_table(connection: duckdb.DuckDBPyConnection, home: Home, model: DbtModel) -> None:
    stage, name = model.stage, model.name
    path = home.handed_on(f"{stage}/{name}")
    if not path.exists():
        raise NotBuiltError(f"{path}: dbt has not handed on {name}. Build it: tastemate build")
    table = f'{stage}."{name}"'
    connection.read_parquet(str(path)).create(table)
    connection.execute(f"comment on table {table} is {literal(model.description)}")
    for column in model.columns.values():
        described = f'{table}."{column.name}"'
        connection.execute(f"comment on column {described} is {literal(column.description)}")
