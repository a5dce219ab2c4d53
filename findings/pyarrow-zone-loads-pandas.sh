#!/usr/bin/env bash
# Python 3.11, pyarrow 26.0.1 beside pandas 2.3.3: one moment with a time zone, handed over to Python, loads all
# of pandas; a moment without a zone, a date or a number does not.
#
# Seen: `timestamp[us]`, `date32` and `int64` leave pandas alone, `timestamp[us, tz=UTC]` loads it,
# be it by `to_pylist` or `as_py`. What comes out is the standard library's datetime all the same.
# Why it matters: a command that reads a few rows of a Parquet file pays .3 to .5 s of processor
# time for nothing. A cast to int64 and a sum with the epoch give the same moment without it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1 pandas==2.3.3

loads_pandas() {
    "$folder/venv/bin/python" - "$1" <<'PY'
import sys

import pyarrow as pa

kind = {
    "int64": pa.int64(),
    "date32": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamp with zone": pa.timestamp("us", tz="UTC"),
}[sys.argv[1]]
# As a file's reader makes it: from bytes, not from Python's values.
array = pa.Array.from_buffers(kind, 1, [None, pa.py_buffer(bytes(8))])
assert "pandas" not in sys.modules
(value,) = array.to_pylist()
assert type(value).__module__ in ("builtins", "datetime"), type(value)
print("loads pandas" if "pandas" in sys.modules else "does not")
PY
}

for kind in int64 date32 timestamp; do
    said=$(loads_pandas "$kind")
    echo "$kind: $said"
    [ "$said" = "does not" ]
done
said=$(loads_pandas "timestamp with zone")
echo "timestamp with zone: $said"
[ "$said" = "loads pandas" ]
