"""The error over many nights (multiple testing): how likely one judgement may be wrong by luck.

A gate that lets one model in twenty through by luck, asked every night, lets one through each
month. So the nights share a budget: the chances that the judgements of any `DAYS` days spend sum to
no more than `BUDGET`, and by the union bound no likelier does luck alone release even one model in
them that is no better than counting. Each judgement may spend `PART` of what is left, so that many
in a row become strict and none comes to nothing; what was spent so long ago is there again.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from models_ml.model_folder import ModelFolder
from orchestration.home.state_files import StateFile
from serving.home import Home

BUDGET = 0.05
DAYS = 28
PART = 0.1


@dataclass(frozen=True)
class Judgement:
    """One model that was judged: which, when, and how likely a lead by luck might be."""

    model: str
    judged_at: str
    alpha: float


@dataclass(frozen=True)
class Judgements:
    """All that a home's gate has judged in the last `DAYS` days, oldest first."""

    spent: list[Judgement]


def spend(home: Home, folder: ModelFolder, now: datetime) -> float:
    """Take from the budget what judging the model in *folder* may spend, and keep account of it.

    A model that was judged before is asked the same once more: that costs nothing, and its chance
    is what it was.
    """
    # The very weights: another training may lie in a folder of the same name.
    digest = hashlib.sha256(folder.weights.read_bytes()).hexdigest()
    model = f"{folder.name}@{digest[:16]}"
    kept = _file(home).read() or Judgements([])
    since = now - timedelta(days=DAYS)
    recent = [one for one in kept.spent if datetime.fromisoformat(one.judged_at) > since]
    for one in recent:
        if one.model == model:
            return one.alpha
    alpha = PART * max(0.0, BUDGET - sum(one.alpha for one in recent))
    judged = Judgement(model, now.isoformat(), alpha)
    _file(home).write(Judgements([*recent, judged]))
    return alpha


def _file(home: Home) -> StateFile[Judgements]:
    return StateFile(home.gate_budget, Judgements)
