"""Objectives (SLOs) as the YAML file states them, per source or table.

What is checked here is what `docs/how-to/reliability.md` says.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orchestration.home.yaml_files import read_described

SLO_FILE = Path(__file__).with_name("slo.yml")
EVERY = "*"

Indicator = Literal["correctness", "freshness", "completeness"]
_Name = Annotated[str, Field(min_length=1)]


class SloError(ValueError):
    """The file of objectives cannot be used."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Objective(_Strict):
    """One promise: in *window_days*, the indicator's share of what is good is at least *target*."""

    source: _Name | None = None
    table: _Name | None = None
    indicator: Indicator
    target: Annotated[float, Field(gt=0, lt=1)]
    window_days: Annotated[float, Field(gt=0)]
    max_age_hours: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.source is None) == (self.table is None):
            raise ValueError("exactly one of 'source' and 'table' must be there")
        if self.indicator == "completeness" and self.source is None:
            raise ValueError(
                "'completeness' is measured of a 'source'; name one instead of a table"
            )
        if self.indicator == "correctness" and self.table is None:
            raise ValueError("'correctness' is measured of a 'table'; name one instead of a source")
        if (self.indicator == "freshness") != (self.max_age_hours is not None):
            raise ValueError(
                "'max_age_hours' belongs to 'freshness', which needs it, and to no other"
            )
        return self

    @property
    def of(self) -> tuple[str, str]:
        """What it is about: `source` or `table`, and its name."""
        return ("source", self.source) if self.source else ("table", str(self.table))


class Objectives(_Strict):
    """All objectives, and the note on what is done where one does not hold (SLA)."""

    sla: _Name
    objectives: Annotated[list[Objective], Field(min_length=1)]

    @model_validator(mode="after")
    def _none_twice(self) -> Self:
        seen = set()
        for objective in self.objectives:
            what = (*objective.of, objective.indicator)
            if what in seen:
                raise ValueError(f"there are two objectives of {' '.join(what)}; keep one")
            seen.add(what)
        return self


def load_objectives(path: Path = SLO_FILE) -> Objectives:
    """Read the file of objectives at *path*.

    Raises:
        SloError: it is not there, is no YAML, or a field is wrong; says which and what is right.
    """
    hint = "Its form stands in docs/how-to/reliability.md."
    return read_described(path, Objectives, SloError, called="file of objectives", hint=hint)
