"""The data dictionary: every model and column, as a page made from the dbt project's YAML.

`python -m orchestration.warehouse.data_dictionary` writes it; it starts no dbt.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from models_ml.typed_json import decode
from orchestration.home.environment import DBT_PROJECT, PROJECT

PAGE = PROJECT / "docs" / "reference" / "data-dictionary.md"
STAGES = {
    "marts": "What analysts query. Each is a table of the warehouse, `marts/MODEL.parquet` of the "
    "home, and a table of the analysts' copy.",
    "features": "What the model reads, through Feast views of the same names. Handed on as marts "
    "are, to `features/`.",
    "staging": "Each landed line, typed and judged. In the warehouse only.",
    "intermediate": "Between staging and marts: what became of each line, and what a build looks "
    "at again. In the warehouse only, in the schema `staging`.",
}
_DOC_BLOCK = re.compile(r"{% docs (\w+) %}(.*?){% enddocs %}", re.DOTALL)
_DOC_CALL = re.compile(r"{{ doc\('(\w+)'\) }}")
_HEADER = """# Data dictionary

Every model of the dbt project and every column, by stage. Made from the project's YAML by \
`make dictionary`; change it there. Staging and intermediate have no contracts, so their types are \
not told here. \
[Ask the marts](../how-to/ask-the-marts.md) says how to query them.
"""


def as_markdown(project: Path = DBT_PROJECT) -> str:
    """Write the page of *project*."""
    words = dict(_DOC_BLOCK.findall((project / "models" / "columns.md").read_text()))
    parts = [_HEADER]
    for stage, introduction in STAGES.items():
        parts.append(f"## {stage.capitalize()}\n{introduction}\n")
        for path in sorted((project / "models" / stage).rglob("*.yml")):
            told = yaml.safe_load(path.read_text()).get("models", [])
            parts += [_model(model, words) for model in decode(list[_Model], told, path.name)]
    return "\n".join(parts)


@dataclass(frozen=True)
class _Constraint:
    type: str


@dataclass(frozen=True)
class _Column:
    """A column as its YAML has it; a data test is a name, or a name with arguments."""

    name: str
    description: str
    data_type: str = ""
    constraints: list[_Constraint] = field(default_factory=list)
    data_tests: list[object] = field(default_factory=list)


@dataclass(frozen=True)
class _Model:
    name: str
    description: str
    columns: list[_Column]


def _model(model: _Model, words: Mapping[str, str]) -> str:
    rows = [_row(column, words) for column in model.columns]
    return "\n".join(
        [
            f"### {model.name}",
            _in_words(model.description, words),
            "",
            "| column | type | | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _row(column: _Column, words: Mapping[str, str]) -> str:
    meaning = _in_words(column.description, words).replace("|", "\\|")
    return f"| `{column.name}` | {column.data_type} | {_promises(column)} | {meaning} |"


def _promises(column: _Column) -> str:
    """Say what the contract and the data tests hold: whether it is never empty, and unique."""
    kinds = {constraint.type for constraint in column.constraints}
    tests = column.data_tests
    promises = ["not null"] if "not_null" in kinds or "not_null" in tests else []
    return ", ".join([*promises, "unique"] if "unique" in tests else promises)


def _in_words(text: str, words: Mapping[str, str]) -> str:
    """Put what `{{ doc(...) }}` stands for in its place."""
    return " ".join(_DOC_CALL.sub(lambda call: words[call[1]], text).split())


if __name__ == "__main__":
    PAGE.write_text(as_markdown())
