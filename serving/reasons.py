"""Why somebody or some place is in an answer, said in what the user knows."""

from collections import Counter
from collections.abc import Iterable

from models_ml.data.tokens import History
from serving.catalogue import Catalogue
from serving.messages import (
    PlaceReason,
    Popular,
    SameCategory,
    SameDistrict,
    SharedCategories,
    SharedPlaces,
    UserReason,
    VisitedBefore,
)

# A reason is read by a person: a handful of names says it.
NAMED = 5


def why_this_user(mine: History, theirs: History, catalogue: Catalogue) -> list[UserReason]:
    """Say what two people share: places first, then categories."""
    reasons: list[UserReason] = []
    known = set(theirs.place_ids)
    places = [place for place in _latest_first(mine.place_ids) if place in known]
    if places:
        reasons.append(SharedPlaces(count=len(places), place_ids=places[:NAMED]))
    # The lesser of both counts: what one of them does often and the other once is not shared.
    shared = _categories(mine, catalogue) & _categories(theirs, catalogue)
    if shared:
        ranked = sorted(shared, key=lambda code: (-shared[code], code))
        reasons.append(SharedCategories(count=len(ranked), category_codes=ranked[:NAMED]))
    return reasons


def why_this_place(row: int, history: History, catalogue: Catalogue) -> list[PlaceReason]:
    """Say what links a place to the user's own; where nothing does, that it is popular."""
    reasons: list[PlaceReason] = []
    visits = list(history.place_ids).count(catalogue.place_ids[row])
    if visits:
        reasons.append(VisitedBefore(count=visits))
    wanted, district = set(catalogue.category_codes[row]), catalogue.district_codes[row]
    linked, codes, neighbours = [], set(), 0
    for place in _latest_first(history.place_ids):
        if place == catalogue.place_ids[row]:
            continue
        own_codes, own_district = catalogue.codes_of(place, history)
        if common := wanted.intersection(own_codes):
            linked.append(place)
            codes |= common
        neighbours += bool(district) and own_district == district
    if linked:
        reasons.append(SameCategory(category_codes=sorted(codes), place_ids=linked[:NAMED]))
    if neighbours:
        reasons.append(SameDistrict(district_code=district, count=neighbours))
    if not reasons:
        reasons.append(Popular(event_count=int(catalogue.event_counts[row])))
    return reasons


def _latest_first(place_ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(reversed(list(place_ids))))


def _categories(history: History, catalogue: Catalogue) -> Counter[str]:
    return Counter(
        code for place in history.place_ids for code in catalogue.codes_of(place, history)[0]
    )
