"""The run report as a page for a browser: verdict first, one file, nothing from outside."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment

from orchestration.delivery.report_tables import (
    FEW,
    Table,
    change_text,
    files_table,
    folded_files,
    folded_slo,
    quarantine_table,
    slo_table,
    steps_table,
    value_text,
)
from orchestration.delivery.report_text import (
    WHAT_THE_GATE_ASKS,
    checks_to_tell,
    sentence_of,
    title_of,
    training_sentences,
)
from orchestration.delivery.run_report import RunReport
from orchestration.model.quality_tables import (
    ALONE,
    SPLITS,
    best_first,
    cell_text,
    metrics_of,
    quality_notes,
)

if TYPE_CHECKING:
    from models_ml.typed_json import Scalar

_COMMAND = re.compile(r"(tastemate [^,;]+)")

_TEMPLATE = Environment(autoescape=True).from_string(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }} - Tastemate</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<style>
:root { --ink: #1d2730; --soft: #5a6773; --line: #dde3e8; --back: #f6f8f9; --card: #fff;
        --link: #1c6496; --good: #1f7a4d; --bad: #b3402a; --code: #eef2f5 }
@media (prefers-color-scheme: dark) {
:root { --ink: #e4eaef; --soft: #9aa8b4; --line: #313c46; --back: #141a1f; --card: #1c242b;
        --link: #7ab8e6; --good: #5cc392; --bad: #f08a72; --code: #27313a } }
* { box-sizing: border-box }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--back);
       max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .4rem }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
p { margin: .4rem 0 } a { color: var(--link) } .soft { color: var(--soft); font-size: .9rem }
.verdict { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
           border-left: .4rem solid var(--good); padding: 1rem 1.2rem; overflow-wrap: anywhere }
.verdict h1 { color: var(--good) }
.verdict.bad { border-left-color: var(--bad) } .verdict.bad h1 { color: var(--bad) }
.verdict ol { margin: .6rem 0 0; padding-left: 1.3rem }
.figures { display: grid; grid-template-columns: repeat(3, 1fr); gap: .8rem; margin: .8rem 0 }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
               padding: .7rem 1rem }
.figures b { display: block; font-size: 1.6rem; line-height: 1.25;
             font-variant-numeric: tabular-nums }
.figures span { display: block; color: var(--soft); font-size: .9rem }
code { background: var(--code); border-radius: .25rem; padding: .08rem .3rem; font-size: .88em;
       overflow-wrap: anywhere }
ul { margin: .4rem 0; padding-left: 1.2rem; overflow-wrap: anywhere }
.table { overflow-x: auto } table { border-collapse: collapse; font-size: .9rem; width: 100% }
td, th { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right;
         white-space: nowrap; font-variant-numeric: tabular-nums }
td.text, th.text { text-align: left } th { color: var(--soft); font-weight: 600 }
details { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
          margin: .6rem 0; padding: .5rem 1rem }
summary { cursor: pointer } summary b { margin-right: .4rem }
details[open] summary { margin-bottom: .5rem }
@media (max-width: 34rem) {
.figures { grid-template-columns: 1fr; gap: .5rem }
.figures div { display: grid; grid-template-columns: 1fr auto; align-items: baseline;
               column-gap: .8rem; padding: .5rem .9rem }
.figures span.what { order: -1; color: var(--ink) } .figures b { font-size: 1.2rem }
.figures span.change { grid-column: 1 / -1; text-align: right } }
</style></head><body>
{% macro table(of) %}<div class="table"><table><tr>{% for name in of.columns %}
<th{% if of.is_text(loop.index0) %} class="text"{% endif %}>{{ name }}</th>{% endfor %}</tr>
{% for row in of.rows %}<tr>{% for value in row %}
<td{% if of.is_text(loop.index0) %} class="text"{% endif %}>{{ value }}</td>{% endfor %}</tr>
{% endfor %}</table></div>{% endmacro %}
{% macro folded(name, said) %}<details><summary><b>{{ name }}</b>
<span class="soft">{{ said }}</span></summary>{{ caller() }}</details>{% endmacro %}
{% macro listed(lines) %}<ul>{% for line in lines %}<li>{{ line }}</li>{% endfor %}</ul>
{% endmacro %}
<section class="verdict{{ '' if is_well else ' bad' }}"><h1>{{ title }}</h1>
<p>{{ sentence }}</p>
{% if next %}<ol>{% for one in next %}<li>{% for part in one %}
{%- if part.is_command %}<code>{{ part.text }}</code>{% else %}{{ part.text }}{% endif %}
{%- endfor %}</li>{% endfor %}</ol>{% endif %}</section>
<section class="figures">{% for one in figures %}<div><b>{{ one.value }}</b>
<span class="what">{{ one.name }}</span><span class="change">{{ one.change }}</span></div>
{% endfor %}</section>
<p>{% if report.release_id %}Live: {{ report.release_kind }} <b>{{ report.release_name }}</b>,
release {% if report.release_page %}<a href="{{ report.release_page }}"
>{{ report.release_id[:12] }}</a>: its figures, pictures and why it was chosen{% else %}
<code>{{ report.release_id }}</code>{% endif %}.{% else %}Nothing is live yet.{% endif %}</p>
<p class="soft">Run {{ report.run_id }} {{ report.status }}, as of {{ report.as_of }}.</p>
{% if report.failures %}<h2>What failed</h2><ul>{% for one in report.failures %}
<li><code>{{ one.name }}</code>: {{ one.error }}</li>{% endfor %}</ul>{% endif %}
{% if checks %}<h2>Checks that did not pass</h2><ul>
{% for one in checks %}<li><code>{{ one.name }}</code> of {{ one.asset }}
{%- if one.is_warning %}, a warning{% endif %}{% if one.why %}: {{ one.why }}{% endif %}</li>
{% endfor %}</ul>{% endif %}
{% if refusals %}<h2>Why the model was refused</h2><p class="soft">{{ gate }}</p>
{{ listed(refusals) }}
{% if more_refusals %}{% call folded("And", more_refusals | length ~ " more reasons") %}
{{ listed(more_refusals) }}{% endcall %}{% endif %}{% endif %}
{% if report.quarantine %}<h2>Why lines are in quarantine</h2>{{ table(quarantine) }}
<p class="soft">What landing could not read waits for <code>tastemate replay --dry-run</code>;
the mart <code>fct_quarantined_lines</code> has every line.</p>{% endif %}
<h2>More of the run</h2>
{% for line in training %}<p>{{ line }}</p>{% endfor %}
{% call folded("What went in", went_in) %}{{ table(kinds) }}
{% if files.rows | length > kinds.rows | length %}{% call folded("Each file", files.rows | length)
%}{{ table(files) }}{% endcall %}{% endif %}{% endcall %}
{% for one in quality %}{% call folded("Quality", one.what) %}{{ table(one.table) }}
<p class="soft">network: {{ alone }}.</p>{% endcall %}{% endfor %}
{% if quality_notes %}<p class="soft">{{ quality_notes | join(" ") }}</p>{% endif %}
{% if report.parity %}{% call folded("Online = offline", parity) %}
{{ listed(report.parity.examples) }}{% endcall %}{% endif %}
{% if report.slo %}{% call folded("What users may rely on", promised) %}{{ table(slo) }}
{% if each_slo.rows | length > slo.rows | length %}
{% call folded("Each objective", each_slo.rows | length) %}{{ table(each_slo) }}{% endcall %}
{% endif %}{% endcall %}{% endif %}
{% if report.steps %}{% call folded("What it cost", cost) %}{{ table(steps) }}{% endcall %}
{% endif %}
{% if report.state %}{% call folded("Any day again", "the command that builds it") %}
<p>Marts and features as of {{ report.state.as_of }} have the state hash
<code>{{ report.state.state_hash }}</code>. Have them again from the archive:
<code>tastemate rebuild --as-of {{ report.state.as_of }}</code></p>{% endcall %}{% endif %}
</body></html>
"""
)


class _Cells:
    """A table as the page shows it: cells as text, and which columns are words."""

    def __init__(self, table: Table) -> None:
        self.columns = [name.replace("_", " ") for name in table.columns]
        self.rows = [[cell_text(value) for value in row] for row in table.rows]
        self._are_text = [
            any(isinstance(row[nth], str) for row in table.rows)
            for nth in range(len(table.columns))
        ]

    def is_text(self, column: int) -> bool:
        return self._are_text[column]


@dataclass(frozen=True)
class _Part:
    """A part of a sentence."""

    text: str
    is_command: bool


@dataclass(frozen=True)
class _Figure:
    """A figure as it is shown."""

    name: str
    value: str
    change: str


@dataclass(frozen=True)
class _Split:
    """How good recommenders are on one split."""

    what: str
    table: _Cells


def as_page(report: RunReport) -> str:
    """Write the report as a page."""
    verdict = report.verdict
    files, slo = files_table(report.files), folded_slo(report.slo)
    return _TEMPLATE.render(
        report=report,
        title=title_of(report),
        is_well=verdict.is_well if verdict else report.status == "succeeded",
        sentence=sentence_of(verdict) if verdict else "",
        checks=checks_to_tell(report),
        next=[_with_command(one) for one in verdict.next] if verdict else [],
        figures=[
            _Figure(one.name, value_text(one), _since(change_text(one))) for one in report.figures
        ],
        gate=WHAT_THE_GATE_ASKS,
        refusals=report.refusals[:FEW],
        more_refusals=report.refusals[FEW:],
        quarantine=_Cells(quarantine_table(report.quarantine)),
        training=training_sentences(report),
        kinds=_Cells(files_table(folded_files(report.files))),
        files=_Cells(files),
        went_in=_went_in(report),
        quality=list(_quality(report)),
        quality_notes=quality_notes(report.quality, report.histories),
        alone=ALONE,
        parity=_parity(report),
        promised=_promised(report),
        slo=_Cells(slo),
        each_slo=_Cells(slo_table(report.slo)),
        steps=_Cells(steps_table(report.steps)),
        cost=_cost(report),
    )


def _with_command(sentence: str) -> list[_Part]:
    """Set the command in a sentence apart."""
    parts = _COMMAND.split(sentence)
    # Split by a group, every other part is what the group has found.
    return [_Part(text, is_command=nth % 2 == 1) for nth, text in enumerate(parts) if text]


def _since(change: str) -> str:
    return f"{change} since the last run" if change[0] in "+-" else change


def _went_in(report: RunReport) -> str:
    lines = sum(file.lines_in for file in report.files)
    return f"{len(report.files):,} files, {lines:,} lines"


def _quality(report: RunReport) -> Iterator[_Split]:
    for split, what in SPLITS.items():
        if ranked := best_first(report.quality.get(split, {})):
            metrics = metrics_of(report.quality[split])
            rows: list[list[Scalar]] = [
                [name, *(getattr(figures, one) for one in metrics)] for name, figures in ranked
            ]
            table = _Cells(Table(["name", *metrics], rows))
            yield _Split(f"on {what} ({split}): best {ranked[0][0]}", table)


def _parity(report: RunReport) -> str:
    parity = report.parity
    if parity is None:
        return ""
    if parity.holds:
        return f"all {parity.keys:,} keys read back as they are"
    return (
        f"of {parity.keys:,} keys {parity.different:,} differ, {parity.missing:,} are missing, "
        f"{parity.extra:,} too many"
    )


def _promised(report: RunReport) -> str:
    missed = sum(one.met is False for one in report.slo)
    held = sum(one.met is True for one in report.slo)
    return f"{held} objectives held, {missed} missed"


def _cost(report: RunReport) -> str:
    count = len(report.steps)
    return f"{count} step{'s' * (count > 1)}, {sum(step.seconds for step in report.steps):.0f} s"
