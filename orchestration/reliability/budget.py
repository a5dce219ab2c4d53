"""Error budgets: how much of what may go wrong has gone wrong, objective by objective."""

from dataclasses import dataclass
from typing import Any

from orchestration.reliability.indicators import Records, measure, records_of
from orchestration.reliability.objectives import EVERY, Objective, Objectives, load_objectives
from serving.home import Home, now


@dataclass(frozen=True)
class Standing:
    """Where an objective stands for one source or table.

    value         the indicator's share of what was good; None: nothing to measure yet
    budget_left   the part of the error budget, 1 - target, that is not spent; below 0: overdrawn
    """

    kind: str
    name: str
    indicator: str
    target: float
    window_days: float
    value: float | None

    @property
    def met(self) -> bool | None:
        """Say whether the objective holds; None where nothing was measured."""
        return None if self.value is None else self.value >= self.target

    @property
    def budget_left(self) -> float | None:
        """Give the part of the budget that is left."""
        if self.value is None:
            return None
        return round(1 - (1 - self.value) / (1 - self.target), 6)

    def as_json(self) -> dict[str, Any]:
        """Give the standing as it stands in run reports."""
        return {
            self.kind: self.name,
            "indicator": self.indicator,
            "target": self.target,
            "value": self.value,
            "met": self.met,
            "budget_left": self.budget_left,
            "window_days": self.window_days,
        }


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
        return sorted({file["source"] for file in records.files})
    if objective.indicator == "correctness":
        return sorted({check.table for check in records.checks})
    return records.tables


def _standing(records: Records, objective: Objective, name: str) -> Standing:
    value = measure(records, objective, name)
    return Standing(
        objective.of[0],
        name,
        objective.indicator,
        objective.target,
        objective.window_days,
        None if value is None else round(value, 6),
    )
