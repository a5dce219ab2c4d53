"""What a report begins with: whether all is well, what to do, and three figures."""

from dataclasses import replace
from typing import Any

import pytest

from feature_repo.parity_report import ParityReport
from models_ml.figures import RankFigures
from orchestration.delivery.run_report import (
    FailedCheck,
    Failure,
    FileCounts,
    Headline,
    RunReport,
    SetAside,
)
from orchestration.delivery.verdict import EVENTS, PEOPLE, QUALITY, figures_of, verdict_of
from orchestration.model.retraining.verdict import Verdict
from orchestration.reliability.budget import Standing
from serving.card import Card
from tests.made import RANKS, run_report

TRAINED = Verdict.anew("it was asked for")
KEPT = Verdict.keep("few new events")
MISSED = Standing(
    source="city", indicator="completeness", target=0.99, value=0.9, met=False, budget_left=-9.0,
    window_days=28.0,
)  # fmt: skip


def before(**changes: Any) -> RunReport:
    return run_report(run_id="r0", **changes)


def test_a_first_run_says_that_all_is_well_and_what_is_live_now() -> None:
    verdict = verdict_of(run_report(retraining=TRAINED), None)
    assert verdict.is_well
    assert verdict.sentence == "All is well. The model bert is live now."
    assert verdict.next == []


def test_a_run_without_anything_new_says_so() -> None:
    verdict = verdict_of(run_report(retraining=KEPT), before())
    assert verdict.sentence == "All is well. Nothing new has come, and the model bert stays live."


def test_new_events_leave_what_is_live_where_nothing_was_trained() -> None:
    verdict = verdict_of(run_report(retraining=KEPT, events=12), before())
    assert verdict.sentence == "All is well. The model bert stays live."


@pytest.mark.parametrize(("live_before", "word"), [("a" * 32, "stays"), (None, "is")])
def test_a_refused_model_is_told_with_what_is_live_instead(live_before: str, word: str) -> None:
    report = run_report(
        retraining=TRAINED, refusals=["too slow"], release_kind="baseline", release_name="ease"
    )
    verdict = verdict_of(report, before(release_id=live_before))
    assert verdict.is_well
    assert f"The new model was refused, so the baseline ease {word} live." in verdict.sentence


def test_a_failed_run_says_in_which_step_and_why_and_what_to_type() -> None:
    report = run_report(
        status="failed", failures=[Failure("landed", "a.csv: no column 'venue'.\nMore of it.")]
    )
    verdict = verdict_of(report, before())
    assert not verdict.is_well
    assert verdict.sentence == (
        "The run failed in landed: a.csv: no column 'venue'. What was live stays live."
    )
    assert verdict.next == ["Mend that, then run again: tastemate run"]


@pytest.mark.parametrize(
    ("changes", "said", "command"),
    [
        ({"status": "failed"}, "no step of it says why", "tastemate dev"),
        ({"parity": ParityReport(9, 7, 1, 1, 0, [], holds=False)},
         "2 of 9 keys are not online", "tastemate materialize"),
        ({"slo": [MISSED]}, "Objectives are missed: city completeness.", "tastemate slo"),
        ({"files": [FileCounts("new.csv", "events", 5, 0, 0, 5, 0)]},
         "Not one line of new.csv is fit.", "tastemate validate new.csv --mapping MAPPING"),
        ({"failed_checks": [FailedCheck("incremental_equals_full_refresh", "features/user_favor",
                                        is_warning=False, why="3 rows differ.")]},
         "incremental_equals_full_refresh of features/user_favor did not pass: 3 rows differ.",
         "tastemate build --full-refresh"),
        ({"failed_checks": [FailedCheck("unique_x", "marts/y", is_warning=False, why="")]},
         "The check unique_x of marts/y did not pass.", "tastemate build --select unique_x"),
    ],
)  # fmt: skip
def test_what_is_wrong_comes_with_what_to_type(
    changes: dict[str, Any], said: str, command: str
) -> None:
    verdict = verdict_of(run_report(**changes), before())
    assert not verdict.is_well
    assert said in verdict.sentence
    (do,) = verdict.next
    assert command in do


def test_a_run_that_a_check_has_failed_is_told_by_the_check() -> None:
    check = FailedCheck("unique_x", "marts/y", is_warning=False, why="")
    failure = Failure("elt", "dbt: Failure in test unique_x")
    report = run_report(status="failed", failed_checks=[check], failures=[failure])
    verdict = verdict_of(report, before())
    assert verdict.sentence == (
        "The check unique_x of marts/y did not pass. So the run failed. What was live stays live."
    )
    assert [do.partition(": ")[2] for do in verdict.next] == [
        "tastemate build --select unique_x", "tastemate run",
    ]  # fmt: skip


@pytest.mark.parametrize("earlier", [None, before(release_id=None)])
def test_a_failed_run_names_what_has_gone_live_in_it(earlier: RunReport | None) -> None:
    report = run_report(
        status="failed", failures=[Failure("model__recommender", "out of memory")],
        release_kind="baseline", release_name="ease",
    )  # fmt: skip
    sentence = verdict_of(report, earlier).sentence
    assert sentence.endswith("out of memory. The baseline ease is live now.")


def test_a_file_that_was_unfit_in_an_earlier_run_is_not_told_again() -> None:
    unfit = [FileCounts("old.csv", "events", 5, 0, 0, 5, 0)]
    assert verdict_of(run_report(files=unfit), before(files=unfit)).is_well


def test_lines_new_in_quarantine_and_warnings_are_told_though_all_is_well() -> None:
    waiting = SetAside("city", "likes", "not_json", 5, 2, "likes.jsonl", 4)
    warning = FailedCheck("mlflow_says_what_is_live", "delivery/x", is_warning=True, why="")
    report = run_report(quarantine=[waiting], failed_checks=[warning])
    verdict = verdict_of(report, before())
    assert verdict.is_well
    assert "3 lines went to quarantine: see why below." in verdict.sentence
    assert "mlflow_says_what_is_live" in verdict.sentence
    old = verdict_of(run_report(quarantine=[replace(waiting, before=5)]), before())
    assert "quarantine" not in old.sentence


def card(kind: str, name: str, **metrics: RankFigures) -> Card:
    return Card(
        release_id="a" * 32, kind=kind, name=name, created_at="", files={},
        metrics={"time": metrics},
    )  # fmt: skip


def test_three_figures_stand_beside_those_of_the_run_before() -> None:
    report = run_report(quality={"time": {"model": RANKS}})
    earlier = before(figures=[Headline(QUALITY, 0.2, None)], events=8, users=3)
    figures = figures_of(report, card("model", "bert", model=RANKS), earlier)
    assert figures == [
        Headline(EVENTS, 10, 8), Headline(PEOPLE, 3, 3), Headline(QUALITY, RANKS.ndcg_10, 0.2),
    ]  # fmt: skip
    assert {one.before for one in figures_of(report, None, None)} == {None}


def test_what_stays_live_is_told_by_how_it_did_on_the_newest_questions() -> None:
    newest = replace(RANKS, ndcg_10=0.31)
    report = run_report(
        quality={"time": {"model": replace(RANKS, ndcg_10=0.1), "champion": newest}}
    )
    told = figures_of(report, card("model", "bert", model=RANKS), None)[2]
    assert told.value == newest.ndcg_10


def test_a_run_that_failed_early_does_not_hide_what_the_one_before_it_had() -> None:
    failed = before(figures=[Headline(EVENTS, None, 8)], events=None)
    assert figures_of(run_report(), None, failed)[0] == Headline(EVENTS, 10, 8)
