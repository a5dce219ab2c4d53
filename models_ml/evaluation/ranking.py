"""Ask a recommender for held-out events: where each ranks among all places, what came first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from models_ml.data.event_windows import EventWindows, laid_flat
from models_ml.data.tokens import MAX_EVENTS, EventTokens, History
from models_ml.data.training_set import TrainingSet
from models_ml.metrics import TOP, worst_ranks
from models_ml.recommender import Recommender, ScoresWindows

if TYPE_CHECKING:
    from models_ml.torch_model import TrainedModel

_AT_ONCE = 512
_SEED = 0
_PEOPLE = 200


@dataclass(frozen=True)
class Answers:
    """What a recommender said of N targets.

    ranks           (N,)      of the target among all places, 1 the best
    unvisited_ranks (N,)      of the target among the places where the person had not been; a place
                              where they had been ranks behind everything
    tops            (N, TOP)  catalogue rows of the places it put first, best first; -1 where none
                              is left to show
    confidences     (N,)      share of the first place in the softmax of the scores
    """

    ranks: NDArray[np.int64]
    unvisited_ranks: NDArray[np.int64]
    tops: NDArray[np.int64]
    confidences: NDArray[np.float64]

    def take(self, chosen: NDArray[np.int64]) -> "Answers":
        """Keep the *chosen* targets, in that order."""
        return Answers(**{name: values[chosen] for name, values in vars(self).items()})


def ask(recommender: Recommender, data: TrainingSet, targets: NDArray[np.int64]) -> Answers:
    """Rank all places for each target, after its user's history before it."""
    questions = _Questions(data, targets)
    judge = _Judge(recommender, questions)
    if isinstance(recommender, ScoresWindows):
        windows = questions.windows(recommender.encode_training_set(data))
        for rows in questions.batches():
            judge.note(rows, recommender.score_events(windows.take(rows)))
        return judge.answers
    known = categories_and_districts(data)
    for rows in questions.batches():
        asked = zip(targets[rows].tolist(), questions.begins[rows].tolist(), strict=True)
        histories = [history_before(data, target, begin, known) for target, begin in asked]
        judge.note(rows, recommender.score(histories))
    return judge.answers


def ask_with_counts_and_alone(
    model: "TrainedModel", data: TrainingSet, targets: NDArray[np.int64]
) -> tuple[Answers, Answers]:
    """Do what `ask` does of *model* as it answers, and of its network alone, which is run once."""
    questions = _Questions(data, targets)
    judge, alone = _Judge(model, questions), _Judge(model, questions)
    windows = questions.windows(model.encode_training_set(data))
    for rows in questions.batches():
        asked = windows.take(rows)
        scores = model.network_scores(asked)
        judge.note(rows, model.with_counts(scores, asked))
        alone.note(rows, scores)
    return judge.answers, alone.answers


class _Questions:
    """What is asked: targets, and where the histories of those who chose them begin."""

    def __init__(self, data: TrainingSet, targets: NDArray[np.int64]) -> None:
        self.data, self.targets = data, targets
        self.begins = data.offsets[data.event_users[targets]]
        self.starts = np.maximum(self.begins, targets - MAX_EVENTS)

    def windows(self, events: EventTokens) -> EventWindows:
        """What a request would bring of each history."""
        return EventWindows(events, self.starts, self.targets)

    def batches(self) -> Iterator[NDArray[np.int64]]:
        """Yield some at once: of like length, and those of one person together."""
        _, whose = np.unique(self.starts, return_inverse=True)
        longest = np.zeros(int(whose.max(initial=-1)) + 1, dtype=np.int64)
        np.maximum.at(longest, whose, self.targets - self.starts)
        order = np.lexsort((self.targets, whose, longest[whose]))
        for first in range(0, len(order), _AT_ONCE):
            yield order[first : first + _AT_ONCE]


class _Judge:
    """Ranks what a recommender has scored."""

    def __init__(self, recommender: Recommender, questions: _Questions) -> None:
        self._questions, self._excludes_seen = questions, recommender.excludes_seen
        positions, places = recommender.places.positions, questions.data.catalogue.place_ids
        self._columns = np.array([positions.get(name, -1) for name in places], np.int64)
        self._rows_of_columns = np.zeros(len(recommender.places), dtype=np.int64)
        is_known = self._columns >= 0
        self._rows_of_columns[self._columns[is_known]] = np.flatnonzero(is_known)
        count = len(questions.targets)
        self.answers = Answers(
            np.empty(count, dtype=np.int64),
            np.empty(count, dtype=np.int64),
            np.full((count, TOP), -1, dtype=np.int64),
            np.empty(count),
        )

    def note(self, rows: NDArray[np.int64], scores: NDArray[np.float32]) -> None:
        """Take the *scores* (B, P) of the questions *rows*; they are overwritten."""
        asked, answers = self._questions, self.answers
        whose, events = laid_flat(asked.begins[rows], asked.targets[rows])
        seen = self._columns[asked.data.places[events]]
        whose, seen = whose[seen >= 0], seen[seen >= 0]
        wanted = self._columns[asked.data.places[asked.targets[rows]]]
        if self._excludes_seen:
            scores[whose, seen] = -np.inf
        answers.ranks[rows] = worst_ranks(scores, wanted)
        tops = _tops(scores)
        shown = np.where(tops >= 0, self._rows_of_columns[tops], -1)
        answers.tops[rows, : shown.shape[1]] = shown
        answers.confidences[rows] = _confidences(scores)
        scores[whose, seen] = -np.inf
        answers.unvisited_ranks[rows] = worst_ranks(scores, wanted)


def _tops(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the columns of the highest scores, best first; -1 where a place may not be shown."""
    highest = torch.from_numpy(scores).topk(min(TOP, scores.shape[1]))
    found, tops = highest.values.numpy(), highest.indices.numpy()
    tops = np.take_along_axis(tops, np.lexsort((tops, -found), axis=1), axis=1)
    return np.where(np.isfinite(found), tops, -1)


def _confidences(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    told = torch.from_numpy(scores)
    highest = told.amax(dim=1)
    shares = (highest - told.logsumexp(dim=1)).double().exp()
    return torch.where(highest.isfinite(), shares, 0.0).numpy()


def categories_and_districts(data: TrainingSet) -> dict[str, tuple[list[str], str]]:
    """Tell by place id what a request would read of places that a model may not know."""
    catalogue = data.catalogue
    around = zip(catalogue.category_codes, catalogue.district_codes, strict=True)
    return dict(zip(catalogue.place_ids, around, strict=True))


def history_before(
    data: TrainingSet, event: int, begin: int, places: Mapping[str, tuple[list[str], str]]
) -> History:
    """Return the newest events of one user in ``begin:event``, as a request would bring them."""
    window = slice(max(begin, event - MAX_EVENTS), event)
    names = data.catalogue.place_ids
    return History(
        place_ids=[names[row] for row in data.places[window].tolist()],
        event_kinds=[data.kind_names[kind] for kind in data.kinds[window].tolist()],
        event_ats=data.ats[window].tolist(),
        event_ratings=data.ratings[window].tolist(),
        unknown_places=places,
    )


def some_people(data: TrainingSet) -> list[History]:
    """Choose some people, each with all that they did."""
    generator = np.random.default_rng(_SEED)
    ends = data.offsets[1:][np.diff(data.offsets) > 0]
    chosen = np.sort(generator.permutation(ends)[:_PEOPLE])
    known = categories_and_districts(data)
    begins = data.offsets[data.event_users[chosen - 1]]
    return [
        history_before(data, int(end), int(begin), known)
        for begin, end in zip(begins, chosen, strict=True)
    ]
