"""Hard input, by what is hard about it: seeds of the fuzz tests, and food for whole builds.

Each is the content of a file of likes as a careless producer might write it.
"""

import gzip
import json

GOOD = {"_id": "65a000000000000000000001", "user_id": "ann", "contents_id": "p1"}
TIMES = [
    "2024-01-31T23:59:59.999999Z", "2024-01-31 23:59:59+05:30", "31/01/2024", "Jan 31 2024",
    "Wed Jan 31 23:59:59 +0000 2024", 0, -1, 1706745599, 1706745599999, 1706745599999999, 1e400,
    "1706745599", "253402300800", "2024-02-30", "9999-12-31T23:59:59Z", "1970-01-01", "", " ", None,
    True, [], {}, {"$date": "2024-01-31"}, {"$date": {"$numberLong": "1706745599999"}},
    {"$date": {"$numberLong": "x"}}, {"$timestamp": {"t": 1, "i": 2}}, "now", "infinity", "NaN",
]  # fmt: skip
VALUES = [
    None, True, -0.0, 1e308, 12345678901234567890123, "", " \t", "\u0000", "\ud83d\ude00", "null",
    "'; drop table lines; --", "{{ 1 / 0 }}", "{% raw %}", "*?[a-z]%_", '"', "\\", "../../etc",
    [], [None], {}, {"$oid": None}, {"$oid": {"$oid": "x"}}, {"$numberInt": "7"},
    {"$numberDecimal": "1e-400"}, {"$uuid": "x"}, {"a": {"b": {"c": [1, "x", None, {}]}}},
]  # fmt: skip


def _lines(*documents: object) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


_LIKE = _lines(GOOD | {"like_time": "2024-01-31T00:00:00Z"})
CORPUS = {
    "good": _LIKE,
    "times": _lines(*(GOOD | {"_id": n, "like_time": time} for n, time in enumerate(TIMES))),
    "ids": _lines(*(GOOD | {"_id": value, "like_time": 1706745599} for value in VALUES)),
    "users": _lines(*(GOOD | {"user_id": value, "like_time": 1706745599} for value in VALUES)),
    "places": _lines(*(GOOD | {"contents_id": value, "like_time": 1706745599} for value in VALUES)),
    "consents": _lines(*(GOOD | {"is_discoverable": value} for value in VALUES)),
    "deletions": _lines(*(GOOD | {"deleted_at": value} for value in [*VALUES, *TIMES])),
    "repeated": _LIKE * 3,
    "no_end": _LIKE + _LIKE.rstrip(b"\n"),
    "empty": b"",
    "line_feeds": b"\n\n\r\n \n",
    "carriage_returns": _LIKE.replace(b"\n", b"\r") * 2,
    "windows": _LIKE.replace(b"\n", b"\r\n") * 2,
    "byte_order_marks": b"\xef\xbb\xbf" + _LIKE + b"\xef\xbb\xbf" + _LIKE,
    "utf_16": _LIKE.decode().encode("utf-16"),
    "latin_1": _lines(GOOD) + '{"user_id": "zoé"}\n'.encode("latin1"),
    "overlong_utf_8": b'{"user_id": "\xc0\xaf"}\n{"user_id": "\xed\xa0\x80"}\n',
    "lone_surrogate": b'{"user_id": "\\ud800", "contents_id": "p"}\n',
    "nul_bytes": b'{"user_id": "a\x00b"}\n\x00\n' + _LIKE + b"\x00" * 20,
    "cut_off": _LIKE + _LIKE[:30],
    "two_in_a_line": _LIKE.rstrip(b"\n") + _LIKE,
    "trailing_comma": b'{"user_id": "a",}\n',
    "single_quotes": b"{'user_id': 'a'}\n",
    "comments": b'{"user_id": "a" /* who */}\n// all\n',
    "no_numbers": b'{"user_id": NaN}\n{"user_id": Infinity}\n{"user_id": 01}\n{"user_id": 1e}\n',
    "huge_number": b'{"user_id": ' + b"9" * 5_000 + b"}\n",
    "same_key_twice": b'{"user_id": "a", "user_id": "b", "USER_ID": "c", "user_id": null}\n',
    "odd_keys": b'{"": 1, "user_id": "a", "/~\'\\"": 2, "$": 3, "a.b": 4, "doc": 5}\n',
    "deep": b'{"user_id": "a", "x": ' + b'{"y":' * 3_000 + b"1" + b"}" * 3_001 + b"\n",
    "wide": json.dumps({f"f{n}": n for n in range(2_000)} | GOOD).encode() + b"\n",
    "long_line": b'{"user_id": "a", "x": "' + b"x" * 1_000_000 + b'"}\n',
    "arrays": b"[]\n[1, 2]\n[[\n",
    "scalars": b'1\n"a"\ntrue\nnull\n',
    "csv": b'user_id,contents_id\n"a\nb",p\na,"p\n',
    "gzip": gzip.compress(_LIKE * 50, mtime=0),
    "gzip_cut_off": gzip.compress(_LIKE * 50, mtime=0)[:-12],
    "gzip_in_gzip": gzip.compress(gzip.compress(_LIKE, mtime=0), mtime=0),
    "zip": b"PK\x03\x04" + bytes(range(256)),
}
