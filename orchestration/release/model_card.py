"""The model card: a page of figures with intervals, slices, training curves, calibration."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment
from matplotlib.figure import Figure

from models_ml.evaluation.report import LOO, MODEL, Comparison, Lead, RecommenderFigures
from models_ml.training.record import TrainingRecord
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
<p class="note">{% if subject == "model" %}network: the model without the counts that answer beside
it. {% endif %}All places are ranked;
of equals the right one counts as last. Intervals: 95 %, by 1,000 resamplings of people,
studentized. As judged: NDCG@10 in which nobody makes more than 2 % of the questions; p and the
slices go by it. p: how often swapping the answers of {{ subject }} with the other's at random parts
them as far.</p>
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
_RANKS = ("", "NDCG@10", "interval", "as judged", "HR@1", "HR@10", "MRR", "p")
_LISTS = (
    "", "new places", "new among unvisited", "returns", "coverage", "novelty", "diversity",
    "popularity",
)  # fmt: skip


@dataclass(frozen=True)
class Published:
    """A figure from elsewhere, for the same data and protocol."""

    name: str
    source: str
    hr_10: float
    ndcg_10: float | None


@dataclass(frozen=True)
class _Row:
    look: str
    cells: Sequence[str]


@dataclass(frozen=True)
class _Table:
    columns: Sequence[str]
    rows: Sequence[_Row]


@dataclass(frozen=True)
class _Picture:
    alt: str
    source: str

    @classmethod
    def of(cls, alt: str, figure: Figure) -> "_Picture":
        return cls(alt, as_data_uri(figure))


@dataclass(frozen=True)
class _Section:
    """What is told of one split."""

    what: str
    n: str
    ranks: _Table
    lists: _Table
    pictures: Sequence[_Picture]


def quality_page(  # noqa: PLR0913 - what a page shows, and nothing more
    title: str,
    compared: Comparison,
    trainings: Mapping[str, TrainingRecord],
    *,
    published: Sequence[Published] = (),
    notes: Sequence[str] = (),
    is_marked: Callable[[str], bool] = is_ours,
    subject: str = MODEL,
) -> str:
    """Return the page, pictures inside.

    trainings  by the name of the run
    is_marked  which recommenders the page is about, by name
    subject    the one that the others are compared with
    """
    splits = [
        _section(compared, split, published, is_marked, subject)
        for split in SPLITS
        if compared.quality[split][subject].n
    ]
    curves = [_Picture.of(name, training_curve(record)) for name, record in trainings.items()]
    return _TEMPLATE.render(title=title, notes=notes, splits=splits, curves=curves, subject=subject)


def _section(
    compared: Comparison,
    split: str,
    published: Sequence[Published],
    is_marked: Callable[[str], bool],
    subject: str,
) -> _Section:
    quality, leads = compared.quality[split], compared.model_minus[split]
    ranked = sorted(quality.items(), key=lambda entry: -entry[1].judged)

    def rows(cells: Callable[[str, RecommenderFigures], list[str]]) -> list[_Row]:
        return [
            _Row("ours" if is_marked(name) else "", [name, *cells(name, figures)])
            for name, figures in ranked
        ]

    ranks = rows(lambda name, figures: _ranks(figures, leads.get(name)))
    if split == LOO:
        best_first = sorted(published, key=lambda row: -(row.ndcg_10 or 0))
        ranks += [_Row("published", _published(row)) for row in best_first]
    return _Section(
        what=SPLITS[split],
        n=f"{quality[subject].n:,}",
        ranks=_Table(_RANKS, ranks),
        lists=_Table(_LISTS, rows(lambda _, figures: _lists(figures))),
        pictures=[
            _Picture.of("NDCG@10 with intervals", quality_with_intervals(quality, is_marked)),
            _Picture.of("NDCG@10 by slice", slice_bars(compared.slices[split], subject)),
            _Picture.of(
                "calibration of the first place", calibration_curve(compared.calibration[split])
            ),
        ],
    )


def _ranks(figures: RecommenderFigures, lead: Lead | None) -> list[str]:
    interval = figures.ndcg_10_interval
    return [
        f"{figures.ndcg_10:.4f}",
        f"{interval.low:.4f} to {interval.high:.4f}",
        f"{figures.judged:.4f}",
        *(f"{figure:.4f}" for figure in (figures.hr_1, figures.hr_10, figures.mrr)),
        "" if lead is None else f"{lead.p_value:.4f}",
    ]


def _lists(told: RecommenderFigures) -> list[str]:
    lists = told.lists
    parts = (told.new_places, told.new_among_unvisited, told.returns)
    return [
        *(f"{part.ndcg_10:.4f}" if part.n else "" for part in parts),
        f"{lists.coverage:.3f}",
        f"{lists.novelty:.2f}",
        "" if lists.diversity is None else f"{lists.diversity:.3f}",
        f"{lists.popularity:.2f}",
    ]


def _published(row: Published) -> list[str]:
    ndcg = "" if row.ndcg_10 is None else f"{row.ndcg_10:.4f}"
    return [f"{row.name} ({row.source})", ndcg, "", "", "", f"{row.hr_10:.4f}", "", ""]
