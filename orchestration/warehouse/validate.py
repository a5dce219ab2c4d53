"""Is a file fit to land? Judged by landing and by the models themselves, in a home of its own.

Nothing of the home in use is touched, and nothing of the file is kept.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from orchestration.home.console import say
from orchestration.landing import LandedFile, land
from orchestration.landing.sources import Source
from orchestration.warehouse.dbt_command import run_dbt
from orchestration.warehouse.schema_drift import Drift, drift_of
from serving.home import Home

_FIRSTS = 3
_COUNTS = "select line_status, count(*) from lines where file_id = ? group by line_status"
_REASONS = """
select reason, count(*), list(line_number order by line_number)[:{firsts}]
from lines where file_id = ? and line_status = 'quarantined'
group by reason order by count(*) desc, reason
"""


@dataclass(frozen=True)
class ReasonCount:
    """How many lines go to quarantine for one reason, and the numbers of the first ones."""

    lines: int
    first_lines: list[int]


@dataclass(frozen=True)
class Verdict:
    """What would become of the lines of one file.

    It ``is_fit`` where the file is whole and no line of it would be quarantined. ``duplicates`` are
    those within what was validated; ``reasons`` tells of quarantined lines; ``drift`` tells how the
    documents differ in shape from those that have landed, which makes no file unfit.
    """

    is_fit: bool
    name: str
    kind: str
    lines_in: int
    accepted: int
    duplicates: int
    quarantined: int
    reasons: Mapping[str, ReasonCount]
    is_truncated: bool
    has_landed: bool
    drift: list[Drift]


def validate(home: Home, source: Source, path: Path) -> list[Verdict]:
    """Tell what would become of each line of the files of *source* at *path*.

    Raises:
        LandingError: a file could not land at all; the message says why.
    """
    with _scratch() as scratch:
        landed = land(scratch, source, path)
        say(f"judging {sum(file.lines_in for file in landed):,} lines as the models would")
        run_dbt(scratch, "run", "--select", "+int_lines_judged", tell=lambda _: None)
        known = _landed(home)
        with duckdb.connect(str(scratch.warehouse), read_only=True) as connection:
            connection.execute("create temp view lines as from staging.int_lines_judged")
            return [
                _verdict(
                    connection,
                    file,
                    has_landed=file.file_id in known,
                    drift=drift_of(home, scratch, file.source, file.kind, file.file_id),
                )
                for file in landed
            ]


def sentence(verdict: Verdict) -> str:
    """Tell a person what would become of one file."""
    summary = (
        f"{verdict.name} ({verdict.kind}): {'fit' if verdict.is_fit else 'NOT fit'}. "
        f"{verdict.lines_in:,} lines: {verdict.accepted:,} accepted, "
        f"{verdict.duplicates:,} duplicates, {verdict.quarantined:,} to quarantine."
    )
    lines = [summary]
    for reason, found in verdict.reasons.items():
        shown = ", ".join(f"{number:,}" for number in found.first_lines)
        more = " ..." if found.lines > len(found.first_lines) else ""
        lines.append(f"  {reason}: {found.lines:,}, such as line {shown}{more}")
    lines += [f"  {drift.change}: {drift.field}" for drift in verdict.drift]
    if verdict.is_truncated:
        lines.append("  The packed data is cut off or spoilt; fetch the file anew.")
    if verdict.has_landed:
        lines.append("  These very bytes have landed in this home already.")
    return "\n".join(lines)


@contextmanager
def _scratch() -> Iterator[Home]:
    with tempfile.TemporaryDirectory(prefix="tastemate-validate-") as folder:
        scratch = Home(Path(folder))
        scratch.dbt.mkdir()
        yield scratch


def _landed(home: Home) -> set[str]:
    if not home.landed_files.exists():
        return set()
    return set(pq.read_table(home.landed_files, columns=["file_id"])["file_id"].to_pylist())


def _verdict(
    connection: duckdb.DuckDBPyConnection, file: LandedFile, *, has_landed: bool, drift: list[Drift]
) -> Verdict:
    counts = dict(connection.execute(_COUNTS, [file.file_id]).fetchall())
    rows = connection.execute(_REASONS.format(firsts=_FIRSTS), [file.file_id]).fetchall()
    quarantined = counts.get("quarantined", 0)
    return Verdict(
        is_fit=not (quarantined or file.is_truncated),
        name=file.name,
        kind=file.kind,
        lines_in=file.lines_in,
        accepted=counts.get("accepted", 0),
        duplicates=counts.get("duplicate", 0),
        quarantined=quarantined,
        reasons={reason: ReasonCount(count, firsts) for reason, count, firsts in rows},
        is_truncated=file.is_truncated,
        has_landed=has_landed,
        drift=drift,
    )
