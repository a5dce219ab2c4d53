"""What the ten nearest are like: even, steady, of like taste; and vectors of little.

python -m tests.bench.neighbours [--sets FOLDER]

FOLDER holds the training sets `nyc/set` and `ml-1m/set`. Vectors are fitted on people of whom no
half is asked, except for who is shown to whom and how that stays: there on everybody, as released.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from orchestration.release.hubness import exposure
from serving.hubness import usual_likeness
from tests.bench.figures import Figure, publish
from tests.bench.halves import (
    Embed,
    Floats,
    People,
    at_random,
    by_time,
    deciles,
    follows,
    interleaved,
    ranks,
    read_people,
    released,
    with_usual,
)
from tests.bench.rivals import user_vectors
from tests.bench.rungs import few_events, unseen_places
from tests.bench.steadiness import one_more_day

SETS = Path(__file__).parents[2] / ".quality"
NAMES = {"ml-1m": "MovieLens", "nyc": "New York"}
CUTS = {"interleaved": interleaved, "random": at_random, "by time": by_time}
NEAREST = 10


def main() -> None:
    """Print what was found of both data sets and write `.bench/neighbours.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=Path, default=SETS)
    sets = parser.parse_args().sets
    figures = []
    for folder, name in NAMES.items():
        people = read_people(sets / folder / "set")
        embed = released(people.of(people.others), people.vocabulary)
        figures += _evenness(name, people)
        figures += _own_half(name, people, embed)
        figures += _what_it_follows(name, people, embed)
        figures += few_events(name, sets / folder / "set")
    figures += unseen_places("New York", sets / "nyc" / "set")
    figures += one_more_day("New York", sets / "nyc" / "set")
    publish("neighbours", figures)


def _evenness(name: str, people: People) -> list[Figure]:
    """Tell who is shown to whom, by likeness alone and by nearness."""
    everybody = people.of(np.arange(len(people.histories)))
    vectors = released(everybody, people.vocabulary)(everybody).astype(np.float32)
    usual = usual_likeness(vectors)
    ways = {"by likeness alone": np.zeros_like(usual), "by nearness": usual}
    found = {way: exposure(vectors, taken_off) for way, taken_off in ways.items()}
    return [
        Figure(f"{name}: {measure}, {way}", value, "", None, _better(measure), "must")
        for way, shown in found.items()
        if shown
        for measure, value in vars(shown).items()
    ]


def _better(measure: str) -> str:
    return "higher" if measure in {"reciprocity", "coverage"} else "lower"


def _own_half(name: str, people: People, embed: Embed) -> list[Figure]:
    """Tell whether taking off what is usual costs the recall of the own half."""
    figures = []
    for cut_name, cut in CUTS.items():
        firsts, seconds = (embed(half) for half in people.halves(cut))
        askers, shown = with_usual(firsts, seconds)
        alone = _recall(f"{name}: {cut_name}", "by likeness alone", ranks(firsts, seconds))
        figures += alone
        figures += _recall(f"{name}: {cut_name}", "by nearness", ranks(askers, shown), alone)
    return figures


def _recall(
    what: str, how: str, own: NDArray[np.int64], least: list[Figure] | None = None
) -> list[Figure]:
    return [
        Figure(
            f"{what} R@{at}, {how}", float((own <= at).mean()), "",
            least[nth].value if least else None, "higher", "must",
        )
        for nth, at in enumerate((1, NEAREST))
    ]  # fmt: skip


def _what_it_follows(name: str, people: People, embed: Embed) -> list[Figure]:
    """Correlate nearness with what is no taste, and hold that equal; beside what knows it alone."""
    fitted = people.of(people.others)
    one, other = people.halves(interleaved)
    known = _no_taste(people)
    methods = {
        "ours": embed,
        "length": user_vectors.length(fitted),
        "popularity": user_vectors.popularity(fitted),
    }
    pairs = {method: (of(one), of(other)) for method, of in methods.items()}
    pairs["ours"] = with_usual(*pairs["ours"])
    if "district" in known:
        homes = np.equal.outer(known["district"], np.unique(known["district"])).astype(np.float64)
        pairs["district"] = (homes, homes)
    figures = []
    for method, (firsts, seconds) in pairs.items():
        whole = f"{name}: own half R@1, {method}"
        figures.append(Figure(whole, _first(firsts, seconds), "", None, "higher", "must"))
        for quality, values in known.items():
            groups = values if quality == "district" else deciles(values)
            held = f"{name}: own half R@1 of equal {quality}, {method}"
            value = _first(firsts, seconds, groups.astype(np.int64))
            figures.append(Figure(held, value, "", None, "higher", "must"))
    firsts, seconds = pairs["ours"]
    return figures + [
        Figure(
            f"{name}: nearness follows {quality}",
            follows(firsts, seconds, values),
            "rank correlation",
            None,
            "lower",
            "must",
        )
        for quality, values in known.items()
        if quality != "district"
    ]


def _first(firsts: Floats, seconds: Floats, groups: NDArray[np.int64] | None = None) -> float:
    return float((ranks(firsts, seconds, groups) <= 1).mean())


def _no_taste(people: People) -> dict[str, Floats]:
    """Tell of those asked how long their history is, how popular its places, and where it is."""
    counts = people.vocabulary.places.event_counts
    histories = [people.histories[person] for person in people.asked]
    found: dict[str, Floats] = {
        "length": np.array([np.log(len(places)) for places in histories]),
        "popularity": np.array([np.log(counts[places]).mean() for places in histories]),
    }
    districts = people.vocabulary.place_districts
    if districts.any():
        homes = [np.bincount(districts[places]).argmax() for places in histories]
        found["district"] = np.array(homes, dtype=np.float64)
    return found


if __name__ == "__main__":
    main()
