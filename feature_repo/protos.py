"""Arrow rows as the protos that Feast's online stores keep, and back.

Column by column and without pandas: several times as fast as Feast's own conversion, and integers
with gaps stay integers.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import (
    BoolList,
    DoubleList,
    Int32List,
    Int64List,
    StringList,
    Value,
)

from feature_repo.contract import Column, View
from feature_repo.errors import FeatureValueError
from feature_repo.feature_types import comparable

_LISTS = {
    "string_list_val": StringList,
    "int64_list_val": Int64List,
    "int32_list_val": Int32List,
    "double_list_val": DoubleList,
    "bool_list_val": BoolList,
    "unix_timestamp_list_val": Int64List,
}

Row = tuple[EntityKey, dict[str, Value], datetime, None]


def rows(view: View, batch: pa.RecordBatch) -> list[Row]:
    """Turn a *batch* of a view's rows into what `online_write_batch` takes."""
    keys = entity_keys(view, batch.column(view.key.name).to_pylist())
    names = [column.name for column in view.features]
    columns = [list(_values(view, column, batch)) for column in view.features]
    moments = batch.column(view.timestamp).to_pylist()
    return [
        (key, dict(zip(names, values, strict=True)), moment, None)
        for key, moment, *values in zip(keys, moments, *columns, strict=True)
    ]


def entity_keys(view: View, keys: Sequence[Any]) -> list[EntityKey]:
    """Turn plain keys into Feast's entity keys."""
    field = view.key.type.field
    return [
        EntityKey(join_keys=[view.key.name], entity_values=[Value(**{field: key})]) for key in keys
    ]


def plain(value: Value) -> Any:
    """Turn a proto back into a Python value; None where there is none."""
    field = value.WhichOneof("val")
    if field is None:
        return None
    content = getattr(value, field)
    return list(content.val) if field.endswith("_list_val") else content


def _values(view: View, column: Column, batch: pa.RecordBatch) -> Iterator[Value]:
    kind = column.type
    missing = Value()
    for row, content in enumerate(batch.column(column.name).to_pylist()):
        if content is None:
            yield missing
        elif not kind.is_list:
            yield Value(**{kind.field: comparable(content)})
        else:
            try:
                yield Value(**{kind.field: _LISTS[kind.field](val=comparable(content))})
            except TypeError as error:
                key = batch.column(view.key.name)[row].as_py()
                raise FeatureValueError(
                    f"features/{view.name}.parquet: column '{column.name}' of {key!r} "
                    "has a null inside its list, which Feast cannot hold. "
                    "Give such places a value in the model's SQL, such as -1."
                ) from error
