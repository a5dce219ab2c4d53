"""Which types a feature may have, in the words of DuckDB, Feast, Arrow and Feast's protos.

The one table of its kind: definitions, publishing, parity and reading all follow it. Feast's types
stand here by name, so that whoever only compares contracts does not load Feast.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

Value = (
    bool | int | float | str | datetime | list[str] | list[int] | list[float] | list[bool]
    | list[datetime] | None
)  # fmt: skip
"""What a feature may be in Python; None where it is not known."""
Row = dict[str, Value]
"""A row of a view by column name."""

UTC_MICROSECONDS = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class FeatureType:
    """A type that a feature may have.

    feast  the name in `feast.types`; of a list, that of its elements
    arrow  the type in Arrow and Parquet
    field  the name of the value in Feast's `Value` proto
    """

    feast: str
    arrow: pa.DataType
    field: str
    is_list: bool = False


SCALARS = {
    "varchar": FeatureType("String", pa.string(), "string_val"),
    "bigint": FeatureType("Int64", pa.int64(), "int64_val"),
    "integer": FeatureType("Int32", pa.int32(), "int32_val"),
    "double": FeatureType("Float64", pa.float64(), "double_val"),
    "boolean": FeatureType("Bool", pa.bool_(), "bool_val"),
    # Feast keeps whole seconds: a feature that needs more is a bigint of microseconds.
    "timestamptz": FeatureType("UnixTimestamp", UTC_MICROSECONDS, "unix_timestamp_val"),
}
FEATURE_TYPES: dict[str, FeatureType] = SCALARS | {
    f"{name}[]": FeatureType(
        kind.feast, pa.list_(kind.arrow), kind.field.replace("_val", "_list_val"), is_list=True
    )
    for name, kind in SCALARS.items()
}

SYNONYMS = {
    "text": "varchar",
    "string": "varchar",
    "int8": "bigint",
    "long": "bigint",
    "int64": "bigint",
    "int": "integer",
    "int4": "integer",
    "int32": "integer",
    "float8": "double",
    "float64": "double",
    "bool": "boolean",
    "timestamp with time zone": "timestamptz",
}


def canonical(data_type: str) -> str:
    """Spell a DuckDB type as `FEATURE_TYPES` does; unknown types stay as they are."""
    name = " ".join(data_type.lower().split())
    base, brackets = (name[:-2].strip(), "[]") if name.endswith("[]") else (name, "")
    return SYNONYMS.get(base, base) + brackets


def comparable(value: Any) -> Any:
    """Bring an offline value to what the online store can hold: timestamps in whole seconds."""
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, list) and value and isinstance(value[0], datetime):
        return [int(item.timestamp()) for item in value]
    return value
