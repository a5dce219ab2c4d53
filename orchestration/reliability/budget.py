"""Error budgets: how much of what may go wrong has gone wrong, objective by objective."""

from dataclasses import dataclass, field

from models_ml.typed_json import ABSENT
from orchestration.reliability.indicators import Records, measure, records_of
from orchestration.reliability.objectives import EVERY, Objective, Objectives, load_objectives
from serving.home import Home, now


@dataclass(frozen=True)
class Standing:
    """Where an objective stands for one source or one table.

    source, table  which one it is; only one of them is told
    value        the indicator's share of what was good; None: nothing to measure yet
    met          whether the objective holds; None where nothing was measured
    budget_left  the part of the error budget, 1 - target, that is not spent; below 0: overdrawn
    """

    source: str | None = field(default=None, metadata=ABSENT, kw_only=True)
    table: str | None = field(default=None, metadata=ABSENT, kw_only=True)
    indicator: str
    target: float
    value: float | None
    met: bool | None
    budget_left: float | None
    window_days: float

    @property
    def name(self) -> str:
        """The source or table that it is about."""
        return self.source or self.table or ""


def standings(home: Home) -> list[Standing]:
    """Measure each objective of the project on what lies in *home*.

    Raises:
        SloError: the file of objectives cannot be used.
        CheckLogError: the log of checks cannot be read.
    """
    return judge(records_of(home, now()), load_objectives())


def judge(records: Records, objectives: Objectives) -> list[Standing]:
    """Measure *objectives* on *records*; `*` stands for all that have none of their own."""
    named = {(*one.of, one.indicator) for one in objectives.objectives}
    return [
        _standing(records, objective, name)
        for objective in objectives.objectives
        for name in _names(records, objective)
        if name == objective.of[1] or (objective.of[0], name, objective.indicator) not in named
    ]


def _names(records: Records, objective: Objective) -> list[str]:
    kind, name = objective.of
    if name != EVERY:
        return [name]
    if kind == "source":
        return sorted({file.source for file in records.files})
    if objective.indicator == "correctness":
        return sorted({check.table for check in records.checks})
    return records.tables


def _standing(records: Records, objective: Objective, name: str) -> Standing:
    measured = measure(records, objective, name)
    value = None if measured is None else round(measured, 6)
    target, kind = objective.target, objective.of[0]
    return Standing(
        indicator=objective.indicator,
        target=target,
        value=value,
        met=None if value is None else value >= target,
        budget_left=None if value is None else round(1 - (1 - value) / (1 - target), 6),
        window_days=objective.window_days,
        source=name if kind == "source" else None,
        table=name if kind == "table" else None,
    )
