"""The request path: from a user's id to people and places, cold start and fallback included.

Identity, features, history, model, search, consent, reasons: in this order, the same
for every door. When the online store cannot be read, a lower rung answers and says so.
"""

import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from feature_repo.reader import OnlineStoreUnavailable
from models_ml.data.tokens import History
from models_ml.recommender import Recommender
from serving.catalogue import Catalogue
from serving.histories import Features, OnlineFeatures
from serving.home import now
from serving.index import Index
from serving.messages import (
    Milliseconds,
    RecommendedPlace,
    RecommendPlacesAnswer,
    RecommendPlacesQuestion,
    SimilarUser,
    SimilarUsersAnswer,
    SimilarUsersQuestion,
    Strategy,
)
from serving.pseudonyms import Pseudonyms
from serving.reasons import why_this_place, why_this_user
from serving.release import Release
from serving.vault import Vault

# How many people more than asked for are looked at first, because some have withdrawn consent.
SPARE = 8
_TRIED = 100

Scores = npt.NDArray[np.float32]


@dataclass
class Stopwatch:
    """Adds up where the time of one answer goes."""

    started: float = field(default_factory=time.perf_counter)
    parts: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def during(self, part: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.parts[part] += time.perf_counter() - began

    def read(self) -> Milliseconds:
        total = time.perf_counter() - self.started
        shown = {part: self.parts[part] for part in ("features", "model", "search", "filter")}
        return Milliseconds(
            total=round(total * 1e3, 3),
            **{part: round(seconds * 1e3, 3) for part, seconds in shown.items()},
        )


@dataclass
class Search:
    """Goes down the list of the nearest people, past those *seen*."""

    index: Index
    vector: Scores
    seen: set[str]

    def further(self, count: int) -> dict[str, float]:
        """Find the next *count* people or somewhat more, nearest first; none if all were seen."""
        found = self.index.search(self.vector, len(self.seen) + count)
        fresh = {user: score for user, score in found if user not in self.seen}
        self.seen.update(fresh)
        return fresh


@dataclass
class Answers:
    """Answers questions from one release; its index may be replaced while it answers."""

    release: Release
    recommender: Recommender
    index: Index
    features: OnlineFeatures
    pseudonyms: Pseudonyms
    vault: Vault

    def __post_init__(self) -> None:
        self.catalogue = Catalogue(self.recommender.places)

    def warm_up(self) -> None:
        """Answer each question once, so that nobody waits for what only the first one costs.

        Libraries, Feast's view of the registry and the store's connection come with it. An online
        store that is away is no reason to fail: it is none for the answers either.
        """
        # Some, as the vault no longer knows whoever was forgotten since the index was made.
        somebody = self.index.users[:_TRIED].to_pylist()
        user_id = next(iter(self.vault.reveal(somebody).values()), "nobody")
        self.similar_users(SimilarUsersQuestion(user_id=user_id, limit=1))
        self.recommend_places(RecommendPlacesQuestion(user_id=user_id, limit=1))

    def similar_users(
        self, question: SimilarUsersQuestion, request_id: str | None = None
    ) -> SimilarUsersAnswer:
        """Find the people whose taste is most like the user's, among those who agreed to be shown.

        Consent is read anew for each answer, so that who withdraws it is gone at once;
        therefore nobody is shown while the online store cannot be read.
        """
        watch, index = Stopwatch(), self.index
        asker = self.pseudonyms.of(str(question.user_id))
        mine, users = None, []
        strategy: Strategy = "unknown_user"
        degraded = False
        try:
            with watch.during("features"):
                mine = self.features.of_asker(asker)
            if mine is not None and mine.history.place_ids:
                with watch.during("model"):
                    vector = self.recommender.embed([mine.history])[0]
                # All zeros: the release knows none of the places, so nobody is near or far.
                if vector.any():
                    users = self._neighbours(
                        watch, Search(index, vector, {asker}), mine, question.limit
                    )
                    strategy = self.release.kind
        except OnlineStoreUnavailable:
            strategy, degraded = "unavailable", True
        return SimilarUsersAnswer(
            request_id=request_id or uuid.uuid4().hex,
            release_id=self.release.release_id,
            index_id=index.index_id,
            strategy=strategy,
            degraded=degraded,
            feature_age_s=_age(mine),
            users=users,
            took_ms=watch.read(),
        )

    def recommend_places(
        self, question: RecommendPlacesQuestion, request_id: str | None = None
    ) -> RecommendPlacesAnswer:
        """Rank the places where the user would like to go next.

        Of whom nothing is known, or nothing can be read, is shown what is popular.
        """
        watch = Stopwatch()
        asker = self.pseudonyms.of(str(question.user_id))
        mine, degraded = None, False
        strategy: Strategy = "popular"
        history = History()
        try:
            with watch.during("features"):
                mine = self.features.of_asker(asker)
        except OnlineStoreUnavailable:
            degraded = True
        if mine is not None and mine.history.place_ids:
            strategy, history = self.release.kind, mine.history
            with watch.during("model"):
                scores = self.recommender.score([history])[0]
        else:
            scores = self.catalogue.popularity
        with watch.during("search"):
            rows = self.catalogue.top(scores, question.limit, self._allowed(question, history))
        hint = None if len(rows) else self.catalogue.why_none(
            question.category_code, question.district_code
        )  # fmt: skip
        with watch.during("filter"):
            places = self._explained(rows, scores, history)
        return RecommendPlacesAnswer(
            request_id=request_id or uuid.uuid4().hex,
            release_id=self.release.release_id,
            index_id=self.index.index_id,
            strategy=strategy,
            degraded=degraded,
            feature_age_s=_age(mine),
            places=places,
            hint=hint,
            took_ms=watch.read(),
        )

    def _neighbours(
        self, watch: Stopwatch, search: Search, mine: Features, limit: int
    ) -> list[SimilarUser]:
        """Look further down the list until *limit* people may be shown or nobody is left."""
        shown: list[SimilarUser] = []
        while len(shown) < limit:
            with watch.during("search"):
                nearest = search.further(limit - len(shown) + SPARE)
            if not nearest:
                break
            with watch.during("features"):
                theirs = self.features.of_many(list(nearest))
            with watch.during("filter"):
                may_be_shown = [u for u in nearest if u in theirs and theirs[u].is_discoverable]
                names = self.vault.reveal(may_be_shown)
                for user in [u for u in may_be_shown if u in names][: limit - len(shown)]:
                    reasons = why_this_user(mine.history, theirs[user].history, self.catalogue)
                    shown.append(
                        SimilarUser(
                            user_id=names[user],
                            score=nearest[user],
                            rank=len(shown) + 1,
                            reasons=reasons,
                        )
                    )
        return shown

    def _allowed(
        self, question: RecommendPlacesQuestion, history: History
    ) -> npt.NDArray[np.bool_]:
        hidden: Iterable[str] = history.place_ids
        if question.include_visited and not self.recommender.excludes_seen:
            hidden = ()
        return self.catalogue.allowed(
            category_code=question.category_code,
            district_code=question.district_code,
            hidden_place_ids=hidden,
        )

    def _explained(
        self, rows: npt.NDArray[np.intp], scores: Scores, history: History
    ) -> list[RecommendedPlace]:
        return [
            RecommendedPlace(
                place_id=self.catalogue.place_ids[row],
                score=float(scores[row]),
                rank=rank,
                category_codes=self.catalogue.category_codes[row],
                district_code=self.catalogue.district_codes[row],
                reasons=why_this_place(row, history, self.catalogue),
            )
            for rank, row in enumerate(rows.tolist(), start=1)
        ]


def _age(row: Features | None) -> float | None:
    return None if row is None else max(0.0, (now() - row.known_at).total_seconds())
