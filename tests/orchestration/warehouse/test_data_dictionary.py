"""The data dictionary says what the dbt project's YAML says."""

from pathlib import Path

import pytest

from orchestration.warehouse.data_dictionary import PAGE, as_markdown


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == as_markdown(), "make dictionary"


def test_a_column_tells_its_type_its_promises_and_its_meaning(tmp_path: Path) -> None:
    models = tmp_path / "models"
    for stage in ("marts", "features", "staging", "intermediate"):
        (models / stage).mkdir(parents=True)
    (models / "columns.md").write_text("{% docs kind %}Either a | or b.{% enddocs %}")
    (models / "marts" / "fct_things.yml").write_text("""
models:
  - name: fct_things
    description: >-
      Things,
      all of them.
    columns:
      - name: kind
        description: "{{ doc('kind') }}"
        data_type: varchar
        constraints: [{type: not_null}]
        data_tests: [unique]
""")
    page = as_markdown(tmp_path)
    assert "### fct_things\nThings, all of them.\n" in page
    assert "| `kind` | varchar | not null, unique | Either a \\| or b. |" in page


def test_a_description_that_is_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "models" / "marts").mkdir(parents=True)
    (tmp_path / "models" / "columns.md").write_text("")
    (tmp_path / "models" / "marts" / "one.yml").write_text(
        "models: [{name: one, description: \"{{ doc('lost') }}\", columns: []}]"
    )
    with pytest.raises(KeyError, match="lost"):
        as_markdown(tmp_path)
