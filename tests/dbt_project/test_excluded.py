"""`excluded_people.csv`: whoever writes it wrongly is told where and what to do."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from dbt_common.exceptions import DbtRuntimeError

from orchestration.home.environment import DBT_PROJECT

SOMEBODY = f"{7:032x}"


@pytest.fixture(scope="module")
def plugin() -> ModuleType:
    path = DBT_PROJECT / "plugins" / "tastemate_excluded.py"
    spec = importlib.util.spec_from_file_location("tastemate_excluded", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("who,since\n", "the first line has to be user_id,since,until"),
        ("", "the first line has to be user_id,since,until"),
        ("user_id,since,until\nanna@example.org,2024-01-01,\n", "line 2: user_id is no pseudonym"),
        (f"user_id,since,until\n{SOMEBODY},yesterday,\n", "line 2: since is 'yesterday'"),
        (f"user_id,since,until\n{SOMEBODY},,\n", "line 2: since is ''"),
        (f"user_id,since,until\n{SOMEBODY},2024-01-01,soon\n", "line 2: until is 'soon'"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    plugin: ModuleType, tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / plugin.FILE).write_text(text)
    with pytest.raises(DbtRuntimeError) as raised:
        plugin_of(plugin, tmp_path)
    assert f"{plugin.FILE}" in str(raised.value)
    assert told in str(raised.value)
    # An id of the product's own must not get into a log.
    assert "anna" not in str(raised.value)


def test_a_line_of_a_spreadsheet_is_read_too(plugin: ModuleType, tmp_path: Path) -> None:
    text = f"\ufeffuser_id,since,until\r\n{SOMEBODY},2024-01-01,\r\n"
    (tmp_path / plugin.FILE).write_bytes(text.encode())
    assert plugin_of(plugin, tmp_path)._people == [
        f"row('{SOMEBODY}', '2024-01-01T00:00:00+00:00', null)"
    ]
    assert plugin_of(plugin, tmp_path / "elsewhere")._people == []


def plugin_of(plugin: ModuleType, home: Path) -> Any:
    made = object.__new__(plugin.Plugin)
    made.initialize({"home": str(home)})
    return made
