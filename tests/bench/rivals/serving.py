"""The plain endpoint that ours is measured against, as one would put it together from the docs.

FastAPI, stock Feast, the released network run eagerly by torch and a search by brute force. It
checks no consent, gives no reasons and keeps no promise. From the project's folder, beside ours on
the same home:

export TASTEMATE_HOME=HOME HF_HUB_OFFLINE=1
python -m uvicorn --factory tests.bench.rivals.serving:app --port 3312 --log-level warning

Tune it before you compare with it (workers, uvloop, threads): a rival that is slow by neglect
proves nothing.
"""

from itertools import islice
from typing import Any

import numpy as np
import torch
from fastapi import FastAPI
from feast import FeatureStore
from pydantic import BaseModel

from models_ml.data.tokens import History
from models_ml.loading import load
from serving import champion
from serving.home import Home
from serving.index import newest
from serving.pseudonyms import Pseudonyms

LISTS = ("event_place_ids", "event_kinds", "event_ats", "event_ratings")


class Question(BaseModel):
    """What both routes are asked."""

    user_id: str
    limit: int = 10


class Rival:
    """What is live in a home, loaded once, and its answers."""

    def __init__(self, home: Home) -> None:
        release_id = champion.read(home).release_id
        index = newest(home.indexes, release_id)
        self._users, self._vectors = np.array(index.users.to_pylist()), np.array(index.vectors)
        self._model = load(home.releases / release_id)
        self._store = FeatureStore(fs_yaml_file=home.feast / "feature_store.yaml")
        self._features = self._store.get_feature_service("tastemate_v1")
        self._pseudonyms = Pseudonyms(home.keys)

    def similar_users(self, question: Question) -> dict[str, Any]:
        """Find whose vectors are nearest; they go by their pseudonyms."""
        me = self._pseudonyms.of(question.user_id)
        history = self._history(me)
        if history is None:
            return {"users": []}
        scores = self._vectors @ self._model.embed([history])[0]
        nearest = np.argsort(-scores)[: question.limit + 1]
        people = [
            {"user_id": str(self._users[row]), "score": float(scores[row])}
            for row in nearest
            if self._users[row] != me
        ]
        return {"users": people[: question.limit]}

    def recommend_places(self, question: Question) -> dict[str, Any]:
        """Rank all places, and take the best that are new to the person."""
        history = self._history(self._pseudonyms.of(question.user_id))
        if history is None:
            return {"places": []}
        scores = self._model.score([history])[0]
        names, seen = self._model.places.place_ids, set(history.place_ids)
        unseen = (row for row in np.argsort(-scores) if names[row] not in seen)
        best = islice(unseen, question.limit)
        return {"places": [{"place_id": names[row], "score": float(scores[row])} for row in best]}

    def _history(self, pseudonym: str) -> History | None:
        row = self._store.get_online_features(
            features=self._features, entity_rows=[{"user_id": pseudonym}]
        ).to_dict()
        lists = [row[name][0] for name in LISTS]
        return History(*lists) if lists[0] else None


def make_app(home: Home) -> FastAPI:
    """Serve what is live in *home*."""
    torch.set_num_threads(1)
    rival, made = Rival(home), FastAPI()
    made.post("/v1/similar-users")(rival.similar_users)
    made.post("/v1/recommend-places")(rival.recommend_places)
    return made


def app() -> FastAPI:
    """Serve the home that `TASTEMATE_HOME` names."""
    return make_app(Home.find())
