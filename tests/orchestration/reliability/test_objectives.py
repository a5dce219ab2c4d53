from pathlib import Path

import pytest

from orchestration.reliability.objectives import SloError, load_objectives

GOOD = "{source: a, indicator: completeness, target: 0.9, window_days: 7}"


def wrong(tmp_path: Path, *objectives: str, sla: str = "sla: none") -> str:
    path = tmp_path / "slo.yml"
    path.write_text(f"{sla}\nobjectives: [{', '.join(objectives)}]\n")
    with pytest.raises(SloError) as raised:
        load_objectives(path)
    return str(raised.value).removeprefix(f"{path}: ")


def test_the_objectives_that_ship_are_sound():
    assert {one.indicator for one in load_objectives().objectives} == {
        "completeness", "freshness", "correctness",
    }  # fmt: skip


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(SloError, match=r"slo\.yml: there is no such file of objectives"):
        load_objectives(tmp_path / "slo.yml")


def test_errors_say_which_field_is_wrong_and_what_is_right(tmp_path: Path):
    assert "objectives.0.target is 2" in wrong(tmp_path, GOOD.replace("0.9", "2"))
    assert "objectives.1.owner is no field" in wrong(
        tmp_path, GOOD, GOOD.replace("a,", "b, owner: me,")
    )
    assert "sla is missing" in wrong(tmp_path, GOOD, sla="")
    assert "two objectives of source a completeness" in wrong(tmp_path, GOOD, GOOD)
    assert "exactly one of 'source' and 'table'" in wrong(
        tmp_path, GOOD.replace("source: a", "source: a, table: b")
    )
    assert "'max_age_hours' belongs to 'freshness'" in wrong(
        tmp_path, GOOD.replace("completeness", "freshness")
    )
    assert "'correctness' is measured of a 'table'" in wrong(
        tmp_path, GOOD.replace("completeness", "correctness")
    )
