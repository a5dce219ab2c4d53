"""A command that cannot be understood ends with 2, before anything is done."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from orchestration.cli import main
from orchestration.cli.output import FAILED
from orchestration.cli.reference.verb_page import verbs
from serving.home import Home
from tests.sample_city import make_city

# Whatever it does not know goes on to dbt.
TAKES_ANYTHING = {"build"}


def _typed(tmp_path: Path, *arguments: str) -> tuple[int, str]:
    ended = CliRunner().invoke(main, ["--home", str(tmp_path / "home"), *arguments])
    assert not (tmp_path / "home").exists()
    return ended.exit_code, ended.output


@pytest.mark.parametrize("name", [name for name, _ in verbs() if name not in TAKES_ANYTHING])
def test_an_option_that_a_verb_does_not_have_is_refused(tmp_path: Path, name: str) -> None:
    code, said = _typed(tmp_path, *name.split(), "--no-such-option")
    assert code == click.UsageError.exit_code
    assert "--no-such-option" in said


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Missing command"),
        ("nonsense", "No such command"),
        ("run --source sample --events -5", "--events"),
        ("run --source sample --events 0", "--events"),
        ("run --seed -1", "--seed"),
        ("run --preset enormous", "--preset"),
        ("ingest --source interactions", "needs --mapping FILE and --path PATH"),
        ("ingest --path .", "need --source"),
        ("ingest --source sample --mapping /dev/null --path .", "leave --mapping out"),
        ("validate no/such/path", "does not exist"),
        ("train --seed -1", "--seed"),
        ("train --export out --preset tiny", "--export trains nothing here; leave --preset out"),
        ("train --adopt . --export out", "--export trains nothing here; leave --adopt out"),
        ("train --adopt . --seed 3", "--adopt trains nothing here; leave --seed out"),
        ("recheck --people 0", "--people"),
        ("rebuild", "--as-of"),
        ("rebuild --as-of never", "no moment in ISO 8601"),
        ("rebuild --as-of 9999-12-31T23:59:59-12:00", "--as-of"),
        ("diff a.csv b.csv", "--key"),
        ("diff a.csv b.csv --key k --examples -1", "--examples"),
        ("serve --port 65536", "--port"),
        ("dev --port -1", "--port"),
        ("mlflow --port 0", "--port"),
        ("release promote", "RELEASE_ID"),
    ],
)
def test_a_value_that_means_nothing_is_refused(tmp_path: Path, typed: str, why: str) -> None:
    code, said = _typed(tmp_path, *typed.split())
    assert code == click.UsageError.exit_code
    assert why in said


def test_nobody_without_an_id_is_forgotten(tmp_path: Path) -> None:
    code, said = _typed(tmp_path, "forget", "")
    assert code == click.UsageError.exit_code
    assert "USER" in said


@pytest.mark.parametrize("name", ["a#b", "a?b", "a[b", "a]b", "a*b", "a\\b"])
def test_a_home_whose_path_libraries_would_misread_is_refused(tmp_path: Path, name: str) -> None:
    home = tmp_path / name / "home"
    ended = CliRunner().invoke(main, ["--home", str(home), "build"])
    assert ended.exit_code == FAILED
    assert f"{home}: a home's path cannot have" in ended.output
    assert not home.parent.exists()


def test_a_clock_that_tells_no_time_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_city(Home(tmp_path), 100)
    monkeypatch.setenv("TASTEMATE_NOW", "tomorrow")
    ended = CliRunner().invoke(main, ["--home", str(tmp_path), "sample", "next-day"])
    assert ended.exit_code == FAILED
    assert ended.output.startswith("Error: TASTEMATE_NOW is 'tomorrow', which is no moment")
