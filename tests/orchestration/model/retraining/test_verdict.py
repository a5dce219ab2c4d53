from dataclasses import replace

import pytest

from orchestration.model.retraining.figures import Figures
from orchestration.model.retraining.policy import FromScratch, Policy, Retrain
from orchestration.model.retraining.verdict import LastModel, Verdict, decide

POLICY = Policy(
    retrain=Retrain(new_events=0.1, age_days=30, drift=0.2, unknown_places=0.1, least_events=100),
    from_scratch=FromScratch(every=3, new_places=0.5),
)
CALM = Figures(
    new_events=0.02,
    since=2000,
    unknown_places=0.01,
    new_places=0.01,
    drift={"places": 0.05, "kinds": 0.1},
    age_days=3,
)
DUE = replace(CALM, new_events=0.2)


def test_where_nothing_calls_for_it_the_model_is_kept_and_the_figures_are_told() -> None:
    verdict = decide(POLICY, LastModel(), CALM)
    assert not verdict.retrain
    assert verdict.sentence() == (
        "not trained anew: 2.0% new events (10.0% would call for it), the model 3 days old (30 "
        "would), kinds drifted by 0.10 (0.2 would), 1.0% of new events at unknown places (10.0% "
        "would)"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"new_events": 0.11}, "11.0% new events, more than 10.0%"),
        ({"age_days": 31.0}, "the model is 31 days old, more than 30"),
        ({"drift": {"places": 0.3}}, "the shares of places have drifted by 0.30, more than 0.2"),
        ({"unknown_places": 0.2}, "20.0% of new events are at places that the model does not know"),
    ],
)
def test_each_bound_that_is_passed_calls_for_a_training(
    change: dict[str, object], said: str
) -> None:
    verdict = decide(POLICY, LastModel(), replace(CALM, **change))  # type: ignore[arg-type]
    assert verdict.retrain
    assert not verdict.from_scratch
    assert len(verdict.reasons) == 1
    assert verdict.reasons[0].startswith(said)


def test_all_that_calls_for_it_is_told() -> None:
    verdict = decide(POLICY, LastModel(), replace(DUE, age_days=40, drift={"kinds": 0.9}))
    assert len(verdict.reasons) == 3
    assert verdict.sentence().startswith("trained on from the last model: 20.0% new events")


def test_with_few_new_events_drift_is_not_asked() -> None:
    few = replace(CALM, since=99, drift={"places": 1.0}, unknown_places=1.0)
    verdict = decide(POLICY, LastModel(), few)
    assert not verdict.retrain
    assert "too few new events to look for drift (99 of 100)" in verdict.sentence()
    assert decide(POLICY, LastModel(), replace(few, since=100)).retrain


@pytest.mark.parametrize(
    ("model", "change", "said"),
    [
        (LastModel(trainings=3), {}, "one training in 3 is from scratch"),
        (LastModel(), {"new_places": 0.6}, "the places grew by 60.0%"),
        (LastModel(refused=True), {}, "the gate refused the last model"),
        (LastModel(changed="its preset has other settings"), {}, "its preset has other settings"),
    ],
)
def test_what_makes_a_training_one_from_scratch(
    model: LastModel, change: dict[str, float], said: str
) -> None:
    verdict = decide(POLICY, model, replace(DUE, **change))  # type: ignore[arg-type]
    assert verdict.from_scratch
    assert said in verdict.reasons[-1]
    assert verdict.sentence().startswith("trained from scratch")
    # By itself it calls for none.
    assert not decide(POLICY, model, replace(CALM, **change)).retrain  # type: ignore[arg-type]


def test_below_the_bound_a_training_goes_on_from_the_last() -> None:
    assert not decide(POLICY, LastModel(trainings=2), DUE).from_scratch


def test_a_training_of_every_one_is_always_from_scratch() -> None:
    always = POLICY.model_copy(update={"from_scratch": FromScratch(every=1, new_places=0.5)})
    assert decide(always, LastModel(), DUE).from_scratch


def test_a_model_that_is_kept_keeps_its_figures() -> None:
    kept = Verdict.keep("nothing is new", CALM)
    assert kept.sentence() == "not trained anew: nothing is new"
    assert kept.figures == CALM
