"""The state hash: one name for what the marts and features say, whatever made them.

Two builds have the same hash if and only if each model holds the same rows, however they are
ordered, compressed or split. Nothing of the run that made them has a part in it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.home.sql import identifier, literal
from orchestration.home.state_files import StateFile
from orchestration.warehouse import handed_on as handed_on_now
from orchestration.warehouse.dbt_command import ensure_manifest
from orchestration.warehouse.dbt_manifest import DbtModel, models_of
from serving.home import Home

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HANDED_ON = ("marts", "features")

# MD5 is the same in every version of DuckDB, which its own hash() need not be. Sums take no
# heed of the order, and unlike XOR they tell one row from three equal ones.
_ROWS = """
select count(*), sum(md5_number_lower(doc)), sum(md5_number_upper(doc))
from (select to_json(logical)::varchar as doc from (select {columns} from {table}) as logical)
"""


@dataclass(frozen=True)
class ModelState:
    """What one model holds: how many rows, and the hash of them all."""

    rows: int
    hash: str


@dataclass(frozen=True)
class State:
    """What all marts and features hold, as of a moment; models are named `folder/model`."""

    as_of: str
    state_hash: str
    models: Mapping[str, ModelState]


class NotBuiltError(RuntimeError):
    """A model of the project has not been handed on."""


def state_of(home: Home, models: list[str]) -> State:
    """Hash what *models* hold in *home*.

    Raises:
        NotBuiltError: one of them is not there.
    """
    # Whoever only reads a state, as in a report, needs none of it.
    import duckdb

    states = {}
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; set threads = 2")
        for name in sorted(models):
            path = home.handed_on(name)
            if not path.exists():
                raise NotBuiltError(
                    f"{path}: dbt has not handed on {name}. Build it: tastemate build"
                )
            states[name] = hash_of_rows(connection, path)
        as_of = _moment_of(connection, home)
    digest = hashlib.sha256()
    for name, state in states.items():
        digest.update(f"{name}\0{state.hash}\0".encode())
    return State(as_of, digest.hexdigest(), states)


def hash_of_rows(connection: "DuckDBPyConnection", path: Path) -> ModelState:
    """Hash the rows of a Parquet file, in a connection whose time zone is UTC."""
    import pyarrow.parquet as pq

    schema = pq.read_schema(path)
    names = sorted(schema.names)
    table = f"read_parquet({literal(path)})"
    columns = ", ".join(map(identifier, names))
    rows, low, high = connection.execute(_ROWS.format(columns=columns, table=table)).fetchall()[0]
    types = [(name, str(schema.field(name).type)) for name in names]
    content = json.dumps([types, rows, str(low), str(high)])
    return ModelState(rows, hashlib.sha256(content.encode()).hexdigest())


def models_handed_on(home: Home) -> list[str]:
    """List the models that dbt hands on as Parquet, as `folder/model`."""
    return [f"{model.stage}/{model.name}" for model in handed_on(home)]


def handed_on(home: Home) -> list[DbtModel]:
    """List those models as dbt's manifest describes them."""
    return [model for model in models_of(ensure_manifest(home)) if model.stage in HANDED_ON]


def remember_published(home: Home) -> State:
    """Hash what the home's marts and features hold now, for the run report to keep.

    What a glance sees of them is remembered too.
    """
    state = state_of(home, models_handed_on(home))
    published(home).write(state)
    handed_on_now.remembered(home).write(handed_on_now.look(home))
    return state


def published(home: Home) -> StateFile[State]:
    """Tell where it is kept what the home has published last."""
    return StateFile(home.last_published, State)


def _moment_of(connection: "DuckDBPyConnection", home: Home) -> str:
    """Find the moment of the build; where nobody has any event, that of the last file."""
    for name, column in (("feature_moments", "as_of"), ("fct_landed_files", "landed_at")):
        path = literal(home.handed_on(f"marts/{name}"))
        only = "where purpose = 'current'" if column == "as_of" else ""
        ((moment,),) = connection.execute(
            f"select epoch_us(max({column})) from read_parquet({path}) {only}"  # noqa: S608 - names of our own
        ).fetchall()
        if moment is not None:
            return _iso(moment)
    return _iso(0)


def _iso(microseconds: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)).isoformat()
