"""Hyper-parameter search with Optuna: pruned, and resumed where it was stopped.

python -m orchestration.model.search --data SET --out FOLDER [--from PRESET] [--trials N]

What counts is NDCG@10 on the validation events alone. The study and each trial's training lie in
FOLDER; the best preset is printed as it would stand in models_ml/presets.py.
"""

import argparse
import hashlib
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import optuna
from optuna.trial import TrialState

from models_ml.presets import PRESETS, Preset, preset_named
from models_ml.train import train
from models_ml.training.record import Epoch

_WIDTH_OF_A_HEAD = 32
_EPOCHS_BEFORE_PRUNING = 5


def search(
    data: Path, out: Path, base: Preset, trials: int, tell: Callable[[str], None] = lambda _: None
) -> Preset:
    """Try *trials* more presets near *base* on the training set *data*; return the best of all.

    A trial that was cut off is tried again, and its training goes on from its checkpoint. Trials
    that are worse than the median of the others after as many epochs are given up.
    """
    out.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name="preset",
        storage=f"sqlite:///{out / 'study.db'}",
        load_if_exists=True,
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_warmup_steps=_EPOCHS_BEFORE_PRUNING),
    )
    # Gone on with under the seed that it began with, a study would draw again what it has tried.
    study.sampler = optuna.samplers.TPESampler(seed=len(study.trials))
    _try_again_what_was_cut_off(study)
    if not study.trials:
        # What is there already is the first to beat.
        study.enqueue_trial(_settings_of(base))

    def objective(trial: optuna.Trial) -> float:
        preset = _suggested(trial, base)

        def progress(epoch: Epoch) -> None:
            trial.report(epoch.validation_ndcg_10, epoch.number)
            if trial.should_prune():
                raise optuna.TrialPruned

        # What counts is the network: counts beside it would only take time.
        alone = replace(preset, counts=False)
        report = train(data, out / "trials" / _name(preset), alone, progress=progress)
        return report.record.validation_ndcg_10

    def told(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        value = "given up" if trial.value is None else f"{trial.value:.4f}"
        if trial.state is TrialState.PRUNED:
            value = f"given up after {max(trial.intermediate_values, default=0)} epochs"
        finished = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        best = f"{study.best_value:.4f}" if finished else "none"
        tell(f"trial {trial.number}: {value} (best {best})  {trial.params}")

    study.optimize(objective, n_trials=trials, callbacks=[told])
    return _suggested(study.best_trial, base)


def _suggested(trial: optuna.trial.BaseTrial, base: Preset) -> Preset:
    def one_of(name: str, *choices: float) -> int:
        # With the base's own, so that it can be the first to beat.
        return int(trial.suggest_categorical(name, sorted({*choices, getattr(base, name)})))

    hidden_size = one_of("hidden_size", 32, 64, 96, 128)
    return replace(
        base,
        hidden_size=hidden_size,
        heads=max(1, hidden_size // _WIDTH_OF_A_HEAD),
        layers=trial.suggest_int("layers", 1, 4),
        dropout=trial.suggest_float("dropout", 0.0, 0.5, step=0.05),
        place_dropout=trial.suggest_float("place_dropout", 0.0, 0.1, step=0.02),
        events_per_batch=one_of("events_per_batch", 2048, 4096, 8192),
        candidates=one_of("candidates", 512, 1024, 2048, 4096),
        learning_rate=trial.suggest_float("learning_rate", 3e-4, 5e-3, log=True),
        weight_decay=trial.suggest_float("weight_decay", 1e-3, 1e-1, log=True),
        averaging=trial.suggest_float("averaging", 0.0, 0.999),
    )


def _settings_of(preset: Preset) -> dict[str, float]:
    """Give *preset* as suggestions; what lies outside the space is drawn instead."""
    named = (
        "hidden_size", "layers", "dropout", "place_dropout", "events_per_batch", "candidates",
        "learning_rate", "weight_decay", "averaging",
    )  # fmt: skip
    return {name: getattr(preset, name) for name in named}


def _try_again_what_was_cut_off(study: optuna.Study) -> None:
    """Ask anew for what a kill left running, or Ctrl-C made fail."""
    for trial in study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
        study.tell(trial.number, state=TrialState.FAIL)
    told = [
        trial.params
        for trial in study.get_trials(deepcopy=False)
        if trial.state is not TrialState.FAIL
    ]
    for trial in study.get_trials(deepcopy=False, states=[TrialState.FAIL]):
        if trial.params not in told:
            study.enqueue_trial(trial.params)


def _name(preset: Preset) -> str:
    return hashlib.sha256(preset.as_text().encode()).hexdigest()[:12]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a training set folder")
    parser.add_argument("--out", type=Path, required=True, help="where study and trials are kept")
    parser.add_argument("--from", dest="base", default="base", choices=sorted(PRESETS),
                        help="the preset to begin with, and to take all else from")  # fmt: skip
    parser.add_argument("--trials", type=int, default=20, help="so many more")
    arguments = parser.parse_args()
    base = preset_named(arguments.base)
    try:
        best = search(arguments.data, arguments.out, base, arguments.trials, print)
    except KeyboardInterrupt:
        print(  # noqa: T201 - the command's own output
            "Stopped. What is done is kept; the same command goes on.", file=sys.stderr
        )
        sys.exit(130)
    print(f"best: {best}")  # noqa: T201 - the command's own output


if __name__ == "__main__":
    main()
