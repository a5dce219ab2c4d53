"""What a dbt data test claims, in a sentence: the words of its asset check.

A test of another kind than these, and a singular one, is described where it is declared.
"""

import re
from collections.abc import Sequence

from orchestration.warehouse.dbt_manifest import Arguments, DbtTest, GenericTest


def claim(test: DbtTest, model: str) -> str | None:
    """Say what *test* claims of *model*; None where nobody has said it."""
    if test.description or test.test_metadata is None:
        return test.description or None
    return _composed(test.test_metadata, model)


def _composed(test: GenericTest, model: str) -> str | None:
    asked = test.kwargs
    column = asked.column_name
    said = None
    match test.name:
        case "not_null":
            said = f"{column} of {model} is never empty."
        case "unique":
            said = f"No two rows of {model} have the same {column}."
        case "accepted_values":
            said = f"{column} of {model} is {_listed(asked.values, 'or')}, and nothing else."
        case "relationships":
            said = f"Every {column} of {model} stands in {_other(asked)}."
        case "unique_line":
            said = f"Every line of a file stands in {model} once."
        case "unique_together":
            said = f"No two rows of {model} agree in {_listed(asked.columns, 'and')}."
    return said


def _listed(words: Sequence[object], last: str) -> str:
    *first, end = map(str, words)
    return f"{', '.join(first)} {last} {end}" if first else end


def _other(asked: Arguments) -> str:
    """Name what is referred to, given as `ref('model')`, and its column where that is another."""
    model = re.findall(r"\w+", asked.to)[-1]
    return model if asked.field == asked.column_name else f"{model} as {asked.field}"
