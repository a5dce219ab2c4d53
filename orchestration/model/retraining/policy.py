"""The policy of retraining as its YAML file states it.

What is checked here is what `docs/how-to/retrain.md` says.
"""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from orchestration.home.yaml_files import read_described
from serving.home import Home

POLICY_FILE = Path(__file__).with_name("retraining.yml")

_Share = Annotated[float, Field(gt=0)]


class PolicyError(ValueError):
    """The policy of retraining cannot be used."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Retrain(_Strict):
    """The bounds of which each, when passed, calls for a training."""

    new_events: _Share
    age_days: Annotated[float, Field(gt=0)]
    drift: Annotated[float, Field(gt=0, le=1)]
    unknown_places: Annotated[float, Field(gt=0, le=1)]
    least_events: Annotated[int, Field(ge=1)]


class FromScratch(_Strict):
    """What makes a training one from scratch; ``every`` 1 makes it each."""

    every: Annotated[int, Field(ge=1)]
    new_places: _Share


class Policy(_Strict):
    """When to train, and when from scratch."""

    retrain: Retrain
    from_scratch: FromScratch


def policy_file(home: Home) -> Path:
    """Find the policy that holds for *home*: its own, else the project's."""
    return home.retraining if home.retraining.exists() else POLICY_FILE


def load_policy(path: Path) -> Policy:
    """Read the policy at *path*.

    Raises:
        PolicyError: it is not there, is no YAML, or a field is wrong; says which and what is right.
    """
    hint = "Its form stands in docs/how-to/retrain.md."
    return read_described(path, Policy, PolicyError, called="policy of retraining", hint=hint)
