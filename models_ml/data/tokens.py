"""History to tokens: the one place that training, batch and request all go through.

A history becomes the newest `MAX_EVENTS` events, oldest first, behind a BOS, so
that a person without any history has an answer too. A place outside the
vocabulary keeps its category and district and loses only its name.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models_ml.data.training_set import PlaceTable, TrainingSet
from models_ml.model_folder import ModelFolder
from models_ml.typed_json import read_json

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from models_ml.data.packing import Packing

MAX_EVENTS = 200
PAD, BOS, UNKNOWN = 0, 1, 2
SPECIAL_TOKENS = 3
MAX_CATEGORIES = 8
HOURS = 24
WEEKDAYS = 7
GAPS = 32
_SECOND = 1_000_000
_HOUR = 3600 * _SECOND
_EPOCH_WEEKDAY = 3


@dataclass(frozen=True)
class History:
    """What one person did, oldest first, as parallel lists.

    ``unknown_places`` tells categories and district of places that a model may
    not know.
    """

    place_ids: Sequence[str] = ()
    event_kinds: Sequence[str] = ()
    event_ats: Sequence[int] = ()
    event_ratings: Sequence[float] = ()
    unknown_places: Mapping[str, tuple[Sequence[str], str]] = field(default_factory=dict)


@dataclass(frozen=True)
class HistoryColumns:
    """Histories of many people as flat columns, at most `MAX_EVENTS` events each, oldest first.

    Events of person *u* are ``offsets[u]:offsets[u + 1]``. ``places`` and ``kinds`` are positions
    in the names beside them, which need neither differ nor all occur.
    """

    place_names: list[str]
    places: NDArray[np.int64]
    kind_names: list[str]
    kinds: NDArray[np.int64]
    ats: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1


Histories = Sequence[History] | HistoryColumns


@dataclass(frozen=True)
class EventTokens:
    """Events of any number of people, flat.

    Places from ``SPECIAL_TOKENS + size`` up stand for rows of ``strangers``: places outside
    the vocabulary, each with its category and district tokens.
    """

    places: NDArray[np.int64]
    kinds: NDArray[np.int64]
    ats: NDArray[np.int64]
    stranger_categories: NDArray[np.int64]
    stranger_districts: NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """Sequences of one batch, padded on the right.

    places, kinds, hours, weekdays, gaps  (B, T)
    lengths                               (B,)   BOS included
    stranger_categories                   (S, C)
    stranger_districts                    (S,)
    packing                               how the encoder is to read them without padding, if so
    """

    places: "Tensor"
    kinds: "Tensor"
    hours: "Tensor"
    weekdays: "Tensor"
    gaps: "Tensor"
    lengths: "Tensor"
    stranger_categories: "Tensor"
    stranger_districts: "Tensor"
    packing: "Packing | None" = None

    def to(self, device: "torch.device") -> "Batch":
        """Move every tensor to *device*."""
        from models_ml.data.tensors import moved

        return moved(self, device)


@dataclass(frozen=True)
class _Names:
    """What ``vocabulary.json`` holds."""

    categories: list[str]
    districts: list[str]
    kinds: list[str]


class Vocabulary:
    """The places, categories, districts and kinds that have a token.

    In each of categories, districts and kinds token 0 means none or unknown.
    """

    def __init__(
        self, places: PlaceTable, categories: list[str], districts: list[str], kinds: list[str]
    ) -> None:
        """Number everything in the order given."""
        self.places = places
        self.categories = categories
        self.districts = districts
        self.kinds = kinds
        self._category_tokens = {code: token for token, code in enumerate(categories, 1)}
        self._district_tokens = {code: token for token, code in enumerate(districts, 1)}
        self._kind_tokens = {kind: token for token, kind in enumerate(kinds, 1)}
        self._place_tokens = {
            place_id: token for token, place_id in enumerate(places.place_ids, SPECIAL_TOKENS)
        }
        self.place_categories = self._categories_of(places.category_codes)
        self.place_districts = self._districts_of(places.district_codes)

    def __len__(self) -> int:
        return len(self.places)

    @classmethod
    def build(cls, data: TrainingSet, known: NDArray[np.int64]) -> "Vocabulary":
        """Give a token to each place among the *known* events, in the catalogue's order."""
        counts = np.bincount(data.places[known], minlength=len(data.catalogue))
        chosen = np.flatnonzero(counts)
        places = data.catalogue.take(chosen, counts[chosen])
        return cls(
            places,
            categories=sorted({code for codes in places.category_codes for code in codes}),
            districts=sorted(set(places.district_codes) - {""}),
            kinds=sorted({data.kind_names[kind] for kind in np.unique(data.kinds[known])}),
        )

    @classmethod
    def read(cls, folder: ModelFolder) -> "Vocabulary":
        """Read what `write` wrote into a model folder."""
        names = read_json(folder.vocabulary, _Names)
        return cls(PlaceTable.read(folder.places), names.categories, names.districts, names.kinds)

    def write(self, folder: ModelFolder) -> None:
        """Write ``places.parquet`` and ``vocabulary.json``."""
        self.places.write(folder.places)
        lists = {"categories": self.categories, "districts": self.districts, "kinds": self.kinds}
        folder.vocabulary.write_text(json.dumps(lists, indent=1) + "\n")

    def encode_training_set(self, data: TrainingSet) -> EventTokens:
        """Encode every event of *data*; places without a token become strangers."""
        tokens = np.array(
            [self._place_tokens.get(place_id, -1) for place_id in data.catalogue.place_ids],
            dtype=np.int64,
        )
        strangers = np.flatnonzero(tokens < 0)
        tokens[strangers] = SPECIAL_TOKENS + len(self) + np.arange(len(strangers))
        kinds = np.array([self._kind_tokens.get(kind, 0) for kind in data.kind_names], np.int64)
        return EventTokens(
            places=tokens[data.places],
            kinds=kinds[data.kinds],
            ats=data.ats,
            stranger_categories=self._categories_of(
                [data.catalogue.category_codes[row] for row in strangers]
            ),
            stranger_districts=self._districts_of(
                [data.catalogue.district_codes[row] for row in strangers]
            ),
        )

    def encode(self, histories: Histories) -> tuple[EventTokens, NDArray[np.int64]]:
        """Encode the newest events of each history; return them with their offsets."""
        if isinstance(histories, HistoryColumns):
            return self._encode_columns(histories), histories.offsets
        places: list[int] = []
        kinds: list[int] = []
        ats: list[int] = []
        offsets = [0]
        strangers: dict[tuple[tuple[str, ...], str], int] = {}
        for history in histories:
            names = history.place_ids[-MAX_EVENTS:]
            tokens = [self._place_tokens.get(place_id, 0) for place_id in names]
            for nth in [nth for nth, token in enumerate(tokens) if not token]:
                codes, district = history.unknown_places.get(names[nth], ((), ""))
                row = strangers.setdefault((tuple(codes), district), len(strangers))
                tokens[nth] = SPECIAL_TOKENS + len(self) + row
            places.extend(tokens)
            kinds.extend(
                [self._kind_tokens.get(kind, 0) for kind in history.event_kinds[-MAX_EVENTS:]]
            )
            ats.extend(history.event_ats[-MAX_EVENTS:])
            offsets.append(len(places))
        return EventTokens(
            places=np.array(places, dtype=np.int64),
            kinds=np.array(kinds, dtype=np.int64),
            ats=np.array(ats, dtype=np.int64),
            stranger_categories=self._categories_of([list(codes) for codes, _ in strangers]),
            stranger_districts=self._districts_of([district for _, district in strangers]),
        ), np.array(offsets, dtype=np.int64)

    def _encode_columns(self, histories: HistoryColumns) -> EventTokens:
        # Of places that it does not know, a file tells nothing: all are one stranger.
        stranger = SPECIAL_TOKENS + len(self)
        tokens = [self._place_tokens.get(name, stranger) for name in histories.place_names]
        kinds = [self._kind_tokens.get(name, 0) for name in histories.kind_names]
        return EventTokens(
            places=np.array(tokens, dtype=np.int64)[histories.places],
            kinds=np.array(kinds, dtype=np.int64)[histories.kinds],
            ats=histories.ats,
            stranger_categories=self._categories_of([[]]),
            stranger_districts=self._districts_of([""]),
        )

    def _categories_of(self, places: Sequence[Sequence[str]]) -> NDArray[np.int64]:
        tokens = np.zeros((len(places), MAX_CATEGORIES), dtype=np.int64)
        for row, codes in enumerate(places):
            known = [self._category_tokens[code] for code in codes if code in self._category_tokens]
            tokens[row, : len(known[:MAX_CATEGORIES])] = known[:MAX_CATEGORIES]
        return tokens

    def _districts_of(self, codes: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self._district_tokens.get(code, 0) for code in codes], dtype=np.int64)


def collate(
    events: EventTokens, starts: NDArray[np.int64], stops: NDArray[np.int64], *, has_times: bool
) -> Batch:
    """Return what `lay_out` does as tensors."""
    import torch

    arrays = lay_out(events, starts, stops, has_times=has_times)
    return Batch(**{name: torch.from_numpy(values) for name, values in arrays.items()})


def lay_out(
    events: EventTokens, starts: NDArray[np.int64], stops: NDArray[np.int64], *, has_times: bool
) -> dict[str, NDArray[np.int64]]:
    """Lay the windows ``starts:stops`` of *events* behind a BOS each, padded on the right.

    Returns arrays by the names of `Batch`. Where times are synthetic they would teach nothing
    true, so the time tokens are then all 0.
    """
    lengths = stops - starts
    columns = np.arange(int(lengths.max(initial=0)))
    is_event = columns < lengths[:, None]
    index = np.where(is_event, starts[:, None] + columns, 0)

    def lay(values: NDArray[np.int64] | int, first: int = 0) -> NDArray[np.int64]:
        rows = np.full((len(starts), len(columns) + 1), first, dtype=np.int64)
        rows[:, 1:] = np.where(is_event, values, 0)
        return rows

    # Of what lies in the windows alone, for there may be very many events.
    ats = events.ats[index] if has_times and len(events.ats) else index * 0
    days = ats // (HOURS * _HOUR) + _EPOCH_WEEKDAY
    return {
        "places": lay(events.places[index] if len(events.places) else 0, BOS),
        "kinds": lay(events.kinds[index] if len(events.kinds) else 0),
        "hours": lay(ats // _HOUR % HOURS + 1 if has_times else 0),
        "weekdays": lay(days % WEEKDAYS + 1 if has_times else 0),
        "gaps": lay(_gap_tokens(ats) if has_times else 0),
        "lengths": lengths + 1,
        "stranger_categories": events.stranger_categories,
        "stranger_districts": events.stranger_districts,
    }


def _gap_tokens(ats: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the time since the event before in doublings of a second; 0 for the first, (B, T)."""
    seconds = np.maximum(np.diff(ats, axis=1), 0) / _SECOND
    gaps = np.minimum(np.log2(seconds + 1).astype(np.int64) + 1, GAPS - 1)
    return np.pad(gaps, ((0, 0), (min(1, ats.shape[1]), 0)))
