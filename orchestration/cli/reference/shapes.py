"""What verbs report that no type of the code tells yet, described by hand.

Each is to go when there is a type: then `values` names that instead.
"""

from models_ml.evaluation.gate import CHAMPION
from orchestration.cli.reference.json_schema import (
    FLAG,
    NUMBER,
    TEXT,
    WHOLE,
    Schema,
    by_name,
    fixed,
    listed,
    of_type,
    one_of,
    or_null,
)
from orchestration.model.retraining.verdict import Verdict
from orchestration.sample.planted_taste import Lift
from orchestration.warehouse.state_hash import ModelState, State
from serving.messages import RecommendPlacesAnswer, SimilarUsersAnswer

_RANKS = {"hr_1": NUMBER, "hr_10": NUMBER, "ndcg_10": NUMBER, "mrr": NUMBER, "n": WHOLE}
_INTERVAL = fixed({"low": NUMBER, "high": NUMBER})
_LISTS = fixed(
    {
        "coverage": NUMBER,
        "novelty": NUMBER,
        "diversity": or_null(NUMBER),
        "popularity": NUMBER,
    }
)
_FIGURES = fixed(
    {
        **_RANKS,
        "ndcg_10_interval": _INTERVAL,
        "new_places": fixed(_RANKS),
        "new_among_unvisited": fixed(_RANKS),
        "returns": fixed(_RANKS),
        "lists": _LISTS,
    }
)
_LEAD = fixed({"ndcg_10": NUMBER, "interval": _INTERVAL, "p_value": NUMBER})
_SLICE = fixed(
    {"n": WHOLE, "ndcg_10": by_name(NUMBER)}, maybe={f"model_minus_{CHAMPION}": _INTERVAL}
)
_SLICES = by_name(by_name(_SLICE))
_BIN = fixed({"confidence": NUMBER, "accuracy": NUMBER, "n": WHOLE})
_CALIBRATION = fixed({"error": NUMBER, "bins": listed(_BIN)})
_BEHAVIOUR = fixed(
    {
        "name": TEXT,
        "claim": TEXT,
        "value": or_null(NUMBER),
        "least": NUMBER,
        "passed": FLAG,
    }
)


def _by_split(schema: Schema) -> Schema:
    return fixed({"time": schema, "loo": schema})


EVALUATION = fixed(
    {
        "model_minus": _by_split(by_name(_LEAD)),
        "slices": _by_split(_SLICES),
        "calibration": _by_split(_CALIBRATION),
        "time": by_name(_FIGURES),
        "loo": by_name(_FIGURES),
        "best_baseline": TEXT,
        "behaviours": listed(_BEHAVIOUR),
        "cost": fixed({"median_ms": NUMBER, "p95_ms": NUMBER, "bytes": WHOLE}),
        "refusals": listed(TEXT),
        "passes": FLAG,
    }
)

_COUNTS = ("lines_in", "accepted", "duplicates", "quarantined", "erased")
_TRAINING = {
    "epochs": WHOLE,
    "best_epoch": WHOLE,
    "is_cut_short": FLAG,
    "seconds": NUMBER,
    "device": TEXT,
}
_STANDING = {
    "indicator": TEXT,
    "target": NUMBER,
    "value": or_null(NUMBER),
    "met": or_null(FLAG),
    "budget_left": or_null(NUMBER),
    "window_days": NUMBER,
}
STANDING: Schema = {
    "oneOf": [fixed({"source": TEXT, **_STANDING}), fixed({"table": TEXT, **_STANDING})]
}
PARITY = {
    "keys": WHOLE,
    "equal": WHOLE,
    "different": WHOLE,
    "missing": WHOLE,
    "extra": WHOLE,
    "examples": listed(TEXT),
    "holds": FLAG,
}
PUBLISHED = {
    "rows": WHOLE,
    "bytes": WHOLE,
    "deleted": WHOLE,
    "unchanged": WHOLE,
    "seconds": NUMBER,
}
RUN = fixed(
    {
        "run_id": TEXT,
        "as_of": TEXT,
        "status": one_of("succeeded", "failed"),
        "failures": listed(fixed({"name": TEXT, "error": TEXT})),
        "files": listed(fixed({"name": TEXT, "kind": TEXT, **dict.fromkeys(_COUNTS, WHOLE)})),
        "users": or_null(WHOLE),
        "places": or_null(WHOLE),
        "events": or_null(WHOLE),
        "release_id": or_null(TEXT),
        "index_id": or_null(TEXT),
        "release_kind": or_null(one_of("model", "baseline")),
        "release_name": or_null(TEXT),
        "training": fixed({}, maybe=_TRAINING),
        "retraining": or_null(of_type(Verdict)),
        # Nothing of either split before a model was evaluated.
        "quality": fixed({}, maybe={"time": by_name(fixed(_RANKS)), "loo": by_name(fixed(_RANKS))}),
        "parity": or_null(fixed(PARITY)),
        "state_hash": or_null(TEXT),
        "state": or_null(of_type(State)),
        "slo": listed(STANDING),
        "steps": listed(fixed({"name": TEXT, "seconds": NUMBER, "peak_mb": or_null(NUMBER)})),
    }
)
DEMO = fixed(
    {
        "user_id": TEXT,
        "similar_users": of_type(SimilarUsersAnswer),
        "recommend_places": of_type(RecommendPlacesAnswer),
        "stranger": of_type(RecommendPlacesAnswer),
        "planted_taste": by_name(of_type(Lift)),
        "report": RUN,
        "seconds": NUMBER,
    }
)

RELEASE = fixed(
    {
        "release_id": TEXT,
        "kind": one_of("model", "baseline"),
        "created_at": TEXT,
        "reason": TEXT,
        "is_champion": FLAG,
    }
)
_EXPORT = fixed(
    {
        "weights": TEXT,
        "versions": fixed({"torch": TEXT, "onnxruntime": TEXT}),
        "graph": or_null(TEXT),
        "bound": NUMBER,
        "largest_difference": or_null(NUMBER),
        "refusal": TEXT,
    }
)
CARD = fixed(
    {
        "release_id": TEXT,
        "kind": one_of("model", "baseline"),
        "name": TEXT,
        "created_at": TEXT,
        "files": by_name(TEXT),
    },
    # What a release that was packed by hand, or by an earlier version, may not say.
    maybe={
        "reason": TEXT,
        "metrics": _by_split(by_name(_FIGURES)),
        "training": fixed({}, maybe=_TRAINING),
        "export": or_null(_EXPORT),
        "training_set_hash": TEXT,
        "as_of": TEXT,
    },
)
REBUILT = fixed(
    {
        "folder": TEXT,
        "as_of": TEXT,
        "state_hash": TEXT,
        "models": by_name(of_type(ModelState)),
        "run_id": or_null(TEXT),
        "published_state_hash": or_null(TEXT),
        "differing": listed(TEXT),
        "forgotten_since": WHOLE,
        "holds": FLAG,
    }
)
PROPOSAL = fixed(
    {
        "table": TEXT,
        "target": NUMBER,
        "confidence": NUMBER,
        "checks": WHOLE,
        "rows": WHOLE,
        "wrong": WHOLE,
        "days": NUMBER,
        "estimate": NUMBER,
        "bound": NUMBER,
        "basis": one_of("curve", "counts", "constant hazard"),
        "naive_days": fixed({"dropped": NUMBER, "good": NUMBER}),
        "picture": TEXT,
    }
)
