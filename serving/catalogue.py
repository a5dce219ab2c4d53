"""The places of a release, arranged for filtering, ranking and explaining."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import numpy as np
import numpy.typing as npt

from models_ml.data.tokens import History
from models_ml.data.training_set import PlaceTable


class Catalogue:
    """Looks places up by id, category and district."""

    def __init__(self, places: PlaceTable) -> None:
        self.place_ids = [str(place_id) for place_id in places.place_ids]
        self.category_codes = [list(codes) for codes in places.current_category_codes]
        self.district_codes = [code or "" for code in places.current_district_codes]
        self.event_counts = np.asarray(places.event_counts, dtype=np.int64)
        self.popularity = self.event_counts.astype(np.float32)
        self._row_of = {place_id: row for row, place_id in enumerate(self.place_ids)}
        self._by_category = _rows_by(
            (code, row) for row, codes in enumerate(self.category_codes) for code in codes
        )
        self._by_district = _rows_by((code, row) for row, code in enumerate(self.district_codes))

    def allowed(
        self,
        *,
        category_code: str | None,
        district_code: str | None,
        hidden_place_ids: Iterable[str],
    ) -> npt.NDArray[np.bool_]:
        """Mark the places that pass the filters."""
        mask = np.ones(len(self.place_ids), dtype=bool)
        for code, rows in (
            (category_code, self._by_category),
            (district_code, self._by_district),
        ):
            if code is not None:
                passes = np.zeros_like(mask)
                passes[rows.get(code, [])] = True
                mask &= passes
        mask[[self._row_of[place] for place in hidden_place_ids if place in self._row_of]] = False
        return mask

    def why_none(self, category_code: str | None, district_code: str | None) -> str:
        """Say why no place passes the filters."""
        told = []
        for code, known, what in (
            (category_code, self._by_category, "of the category"),
            (district_code, self._by_district, "in the district"),
        ):
            if code is None:
                continue
            if code not in known:
                near = get_close_matches(code, known, n=1)
                ask = f" Is {near[0]!r} meant?" if near else ""
                return f"No place of this release is {what} {code!r}.{ask}"
            told.append(f"{what} {code!r}")
        filtered = " " + " and ".join(told) if told else ""
        if (
            category_code
            and district_code
            and not ({*self._by_category[category_code]} & {*self._by_district[district_code]})
        ):
            return f"There is no place{filtered} in this release."
        return f"No place of this release{filtered} is left that the user does not know."

    def top(
        self, scores: npt.NDArray[np.float32], count: int, allowed: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.intp]:
        """Rank the *count* best of the allowed places; ties go to the earlier place."""
        rows = np.flatnonzero(allowed & np.isfinite(scores))
        if len(rows) > count:
            least = np.partition(scores[rows], len(rows) - count)[len(rows) - count]
            rows = rows[scores[rows] >= least]
        return rows[np.argsort(-scores[rows], kind="stable")][:count]

    def codes_of(self, place_id: str, history: History) -> tuple[list[str], str]:
        """Tell a place's categories and district, also of one that only *history* knows."""
        row = self._row_of.get(place_id)
        if row is not None:
            return self.category_codes[row], self.district_codes[row]
        codes, district = history.unknown_places.get(place_id, ([], ""))
        return list(codes), district


def _rows_by(pairs: Iterable[tuple[str, int]]) -> Mapping[str, list[int]]:
    grouped: dict[str, list[int]] = {}
    for key, row in pairs:
        grouped.setdefault(key, []).append(row)
    return grouped
