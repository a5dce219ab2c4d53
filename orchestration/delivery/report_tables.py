"""The run report's tables: what is alike folded into one row, codes and changes in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from models_ml.typed_json import Scalar
from orchestration.delivery.run_report import FileCounts, Headline, SetAside, StepCost
from orchestration.reliability.budget import Standing

FEW = 3
"""So many files of a kind, and rows that differ in name alone, are told one by one."""

_REASONS = {
    "blank_line": "the line is empty",
    "not_text": "it is no text (UTF-8)",
    "not_json": "it is no JSON",
    "not_an_object": "it is JSON, but no object",
    "wrong_field_count": "it has more or fewer fields than the header",
    "no_user": "it names no user",
    "no_place": "it names no place",
    "no_kind": "it does not say of which kind it is",
    "bad_kind": "its kind is none of like, review and visit",
    "no_time": "it has no time",
    "bad_time": "its time cannot be read",
    "before_2000": "its time is before 2000, as of a clock that was never set",
    "in_future": "its time is more than a day after it landed",
    "bad_order": "its order within equal times is no number",
    "bad_rating": "its rating is no number that fits",
    "bad_deleted": "whether or when it was taken back cannot be read",
    "bad_discoverable": "it speaks of consent, but neither yes nor no",
    "bad_coordinates": "it has half of a pair of coordinates, or a place that is not on earth",
}
"""What the codes of landing and staging mean; one without words stands for itself."""


@dataclass(frozen=True)
class Table:
    """Rows under columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Scalar]]


def change_text(figure: Headline) -> str:
    """Say how a figure has changed since the last run."""
    if figure.value is None:
        return "not measured"
    if figure.before is None:
        return "first measured"
    change = figure.value - figure.before
    if isinstance(change, float):
        return f"{change:+.4f}" if round(change, 4) else "as before"
    return f"{change:+,}" if change else "as before"


def value_text(figure: Headline) -> str:
    """Write a figure for a person."""
    if figure.value is None:
        return "-"
    return f"{figure.value:.4f}" if isinstance(figure.value, float) else f"{figure.value:,}"


def reason_text(code: str) -> str:
    """Say what a reason of quarantine means."""
    return _REASONS.get(code, code)


def quarantine_table(quarantine: Sequence[SetAside]) -> Table:
    """Write why lines are in quarantine: a row a reason, most lines first."""
    by_reason: dict[str, list[SetAside]] = {}
    for one in quarantine:
        by_reason.setdefault(one.reason, []).append(one)
    rows: list[list[Scalar]] = [
        [reason, sum(one.lines for one in alike), sum(map(_new, alike)), reason_text(reason),
         "; ".join(f"{one.file} line {one.line_number:,}" for one in alike)]
        for reason, alike in by_reason.items()
    ]  # fmt: skip
    by_lines = sorted(rows, key=lambda row: -int(row[1] or 0))
    return Table(["reason", "lines", "new", "what is wrong", "the first"], by_lines)


def files_table(files: Sequence[FileCounts]) -> Table:
    """Write what became of the lines of each file."""
    return _records(FileCounts, files)


def folded_files(files: Sequence[FileCounts]) -> list[FileCounts]:
    """Add up files of a kind where they are many; the sums add up as each file does."""
    by_kind: dict[str, list[FileCounts]] = {}
    for file in files:
        by_kind.setdefault(file.kind, []).append(file)
    return [
        one
        for kind, of_kind in by_kind.items()
        for one in ([_added_up(kind, of_kind)] if len(of_kind) > FEW else of_kind)
    ]


def steps_table(steps: Sequence[StepCost]) -> Table:
    """Write what each step took."""
    return _records(StepCost, steps)


def slo_table(slo: Iterable[Standing]) -> Table:
    """Write the objectives and what is left of their error budgets."""
    verdict = {True: "yes", False: "no", None: "nothing measured"}
    rows: list[list[Scalar]] = [
        [one.name, one.indicator, one.target, one.value, verdict[one.met], one.budget_left,
         one.window_days]
        for one in slo
    ]  # fmt: skip
    columns = ["of", "indicator", "target", "value", "met", "budget_left", "window_days"]
    return Table(columns, rows)


def folded_slo(slo: Iterable[Standing]) -> Table:
    """Write the same with one row for all that differ in their name alone."""
    table = slo_table(slo)
    ordered = sorted(table.rows, key=lambda row: [str(cell) for cell in row[1:]])
    rows: list[list[Scalar]] = []
    for alike, group in groupby(ordered, key=lambda row: list(row[1:])):
        names = sorted(str(row[0]) for row in group)
        rows.append([", ".join(names) if len(names) <= FEW else _first(names), *alike])
    return Table(table.columns, sorted(rows, key=lambda row: (row[4] != "no", str(row[0]))))


def _records(kind: type[FileCounts | StepCost], records: Sequence[FileCounts | StepCost]) -> Table:
    columns = list(kind.__dataclass_fields__)
    return Table(columns, [list(vars(record).values()) for record in records])


def _first(names: Sequence[str]) -> str:
    return f"{names[0]} and {len(names) - 1} more"


def _added_up(kind: str, files: Sequence[FileCounts]) -> FileCounts:
    return FileCounts(
        name=f"{len(files):,} files",
        kind=kind,
        lines_in=sum(file.lines_in for file in files),
        accepted=sum(file.accepted for file in files),
        duplicates=sum(file.duplicates for file in files),
        quarantined=sum(file.quarantined for file in files),
        erased=sum(file.erased for file in files),
    )


def _new(one: SetAside) -> int:
    return one.lines - (one.before or 0)
