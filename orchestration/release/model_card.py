"""A page on how good a model is: figures with intervals, slices, training curves, calibration."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment
from matplotlib.figure import Figure

from orchestration.model.charts import (
    calibration_curve,
    is_ours,
    quality_with_intervals,
    slice_bars,
    training_curve,
)
from orchestration.model.quality_tables import SPLITS
from orchestration.steps.figures import as_data_uri

_TEMPLATE = Environment(autoescape=True).from_string(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1d2730; max-width: 62rem; margin: 2rem auto;
       padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto }
td, th { padding: .25rem .7rem; border-bottom: 1px solid #dde3e8; text-align: right;
         white-space: nowrap }
td:first-child, th:first-child { text-align: left }
tr.ours { background: #e8f2f9 } tr.published { color: #5d6b78 }
img { max-width: 100% } p.note { color: #5d6b78 }
</style></head><body>
{% macro table(of) %}<table><tr>{% for name in of.columns %}<th>{{ name }}</th>{% endfor %}</tr>
{% for row in of.rows %}<tr class="{{ row.look }}">{% for cell in row.cells %}<td>{{ cell }}</td>
{%- endfor %}</tr>
{% endfor %}</table>{% endmacro %}
<h1>{{ title }}</h1>
{% for line in notes %}<p>{{ line }}</p>{% endfor %}
{% for split in splits %}
<h2>Asked for {{ split.what }} ({{ split.n }} questions)</h2>
{{ table(split.ranks) }}
<p class="note">network: the model without the counts that answer beside it. All places are ranked;
of equals the right one counts as last. Intervals hold 95 % of 1,000 resamplings of people. p: how
often swapping the model's answers with the other's at random parts them as far.</p>
{{ table(split.lists) }}
<p class="note">NDCG@10 of places new to the person while those they know compete, of the same
ranked among unvisited places alone, and of returns; then what the lists of ten are like. Coverage:
share of all places that anybody is shown; novelty in bits; diversity: mean distance of two places
of a list by category; popularity of what is shown, as a multiple of that of what
people go to.</p>
{% for picture in split.pictures %}<img alt="{{ picture.alt }}" src="{{ picture.source }}">
{% endfor %}{% endfor %}
{% if curves %}<h2>Training</h2>{% for picture in curves %}
<h3>{{ picture.alt }}</h3><img alt="{{ picture.alt }}" src="{{ picture.source }}">
{% endfor %}{% endif %}
</body></html>
"""
)
_RANKS = ("", "NDCG@10", "interval", "HR@1", "HR@10", "MRR", "p")
_PARTS = {
    "new places": "new_places", "new among unvisited": "new_among_unvisited", "returns": "returns",
}  # fmt: skip
_LISTS = ("", *_PARTS, "coverage", "novelty", "diversity", "popularity")


@dataclass(frozen=True)
class Published:
    """A figure from elsewhere, for the same data and protocol."""

    name: str
    source: str
    hr_10: float
    ndcg_10: float | None


def quality_page(  # noqa: PLR0913 - what a page shows, and nothing more
    title: str,
    report: dict[str, Any],
    trainings: dict[str, dict[str, Any]],
    *,
    published: Sequence[Published] = (),
    notes: Sequence[str] = (),
    is_marked: Callable[[str], bool] = is_ours,
) -> str:
    """Return the page, pictures inside.

    report     what `models_ml.evaluate.compare` gives
    trainings  ``training.json`` by the name of the run
    is_marked  which recommenders the page is about, by name
    """
    splits = [
        _split(report, name, published, is_marked) for name in SPLITS if _questions(report, name)
    ]
    curves = [_picture(name, training_curve(training)) for name, training in trainings.items()]
    return _TEMPLATE.render(title=title, notes=notes, splits=splits, curves=curves)


def _questions(report: dict[str, Any], split: str) -> int:
    return int(report[split]["model"]["n"])


def _split(
    report: dict[str, Any],
    split: str,
    published: Sequence[Published],
    is_marked: Callable[[str], bool],
) -> dict[str, Any]:
    ranked = sorted(report[split].items(), key=lambda entry: -entry[1]["ndcg_10"])
    ranks, lists = (
        [
            {"look": "ours" if is_marked(name) else "", "cells": [name, *cells]}
            for name, cells in rows
        ]
        for rows in (
            [(name, _ranks(told, report["model_minus"][split].get(name))) for name, told in ranked],
            [(name, _lists(told)) for name, told in ranked],
        )
    )
    if split == "loo":
        ranks += [
            {"look": "published", "cells": _published(row)}
            for row in sorted(published, key=lambda row: -(row.ndcg_10 or 0))
        ]
    pictures = [
        _picture("NDCG@10 with intervals", quality_with_intervals(report[split], is_marked)),
        _picture("NDCG@10 by slice", slice_bars(report["slices"][split])),
        _picture("calibration of the first place", calibration_curve(report["calibration"][split])),
    ]
    n = f"{_questions(report, split):,}"
    return {
        "what": SPLITS[split],
        "n": n,
        "ranks": {"columns": _RANKS, "rows": ranks},
        "lists": {"columns": _LISTS, "rows": lists},
        "pictures": pictures,
    }


def _ranks(told: dict[str, Any], difference: dict[str, Any] | None) -> list[str]:
    interval = told["ndcg_10_interval"]
    return [
        f"{told['ndcg_10']:.4f}",
        f"{interval['low']:.4f} to {interval['high']:.4f}",
        *(f"{told[figure]:.4f}" for figure in ("hr_1", "hr_10", "mrr")),
        "" if difference is None else f"{difference['p_value']:.4f}",
    ]


def _lists(told: dict[str, Any]) -> list[str]:
    lists, parts = told["lists"], [told[part] for part in _PARTS.values()]
    return [
        *(f"{part['ndcg_10']:.4f}" if part["n"] else "" for part in parts),
        f"{lists['coverage']:.3f}",
        f"{lists['novelty']:.2f}",
        "" if lists["diversity"] is None else f"{lists['diversity']:.3f}",
        f"{lists['popularity']:.2f}",
    ]


def _published(row: Published) -> list[str]:
    ndcg = "" if row.ndcg_10 is None else f"{row.ndcg_10:.4f}"
    return [f"{row.name} ({row.source})", ndcg, "", "", f"{row.hr_10:.4f}", "", ""]


def _picture(alt: str, figure: Figure) -> dict[str, str]:
    return {"alt": alt, "source": as_data_uri(figure)}
