"""The named forms of the model. A run is a preset and a seed, nothing else."""

import hashlib
import json
from dataclasses import dataclass, fields, replace
from typing import Literal

Part = Literal["surroundings", "times", "pointer"]
ALL_PARTS: tuple[Part, ...] = ("surroundings", "times", "pointer")
_WARM_SHARE = 0.1
SMALL_SET = 50_000
"""Up to so many events a set is small: of it minutes teach no more than seconds."""


class UnknownPresetError(ValueError):
    """No preset has this name."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Size and schedule of one training.

    ``epochs`` bounds small sets, ``max_events`` large ones: whichever is fewer.
    ``candidates`` is how many places at most each target is weighed against; 1 is the binary loss
    of SASRec, a target against one place drawn at random.
    ``averaging`` is the share of the running mean of weights that each step leaves as it was; the
    mean is what is validated and kept. 0: no mean.
    ``parts`` are what the network has beside encoder and places, where the data allow it:
    categories and districts, times, a pointer into the history.
    ``counts`` says whether counts answer beside the network, where they make it better.
    ``pre_norm`` lets each layer normalize what it reads, instead of what it leaves.
    """

    hidden_size: int
    layers: int
    heads: int
    dropout: float
    place_dropout: float
    events_per_batch: int
    candidates: int
    learning_rate: float
    weight_decay: float
    warm_up_share: float
    epochs: int
    max_events: int
    patience: int
    averaging: float = 0.0
    parts: tuple[Part, ...] = ALL_PARTS
    counts: bool = True
    pre_norm: bool = False

    @property
    def warm(self) -> "Preset":
        """The schedule of a training that begins with the weights of an earlier one.

        The whole rise and fall of the learning rate in a tenth of the epochs: with less of a peak
        it learned less on validation, as `docs/decisions/0017-training-on.md` has it.
        """
        return replace(
            self,
            epochs=max(1, round(self.epochs * _WARM_SHARE)),
            max_events=round(self.max_events * _WARM_SHARE),
        )

    def as_text(self) -> str:
        """Return the settings as one line; two presets are the same where these are.

        Those at their default are left out, so that one that comes to be renames no earlier run.
        """
        settings = [(field, getattr(self, field.name)) for field in fields(self)]
        return json.dumps(
            {field.name: value for field, value in settings if value != field.default}
        )


_BASE = Preset(
    hidden_size=64,
    layers=2,
    heads=2,
    dropout=0.2,
    place_dropout=0.02,
    events_per_batch=4096,
    candidates=1024,
    learning_rate=1e-3,
    weight_decay=0.01,
    warm_up_share=0.1,
    epochs=60,
    max_events=24_000_000,
    patience=8,
)
_MOVIELENS = replace(
    _BASE, warm_up_share=0.05, epochs=80, max_events=100_000_000, patience=20, averaging=0.999
)
PRESETS = {
    # Seconds: for tests of the machinery, not of the quality.
    "tiny": Preset(
        hidden_size=16,
        layers=1,
        heads=2,
        dropout=0.1,
        place_dropout=0.02,
        events_per_batch=512,
        candidates=512,
        learning_rate=5e-3,
        weight_decay=0.01,
        warm_up_share=0.1,
        epochs=4,
        max_events=200_000,
        patience=4,
        averaging=0.9,
    ),
    # A quarter of a minute on two cores: for the demo.
    "small": Preset(
        hidden_size=48,
        layers=2,
        heads=2,
        dropout=0.1,
        place_dropout=0.02,
        events_per_batch=1024,
        candidates=1024,
        learning_rate=8e-3,
        weight_decay=0.01,
        warm_up_share=0.1,
        epochs=16,
        max_events=250_000,
        patience=4,
    ),
    # Minutes on two cores: for real data.
    "base": _BASE,
    # Half an hour on two cores: a million events, where nobody returns.
    "movielens": _MOVIELENS,
    # The same with four times the layers: an hour and more.
    "deep": replace(_MOVIELENS, layers=8, epochs=45, pre_norm=True),
    # Short histories over many places, of which nothing is known.
    "reviews": replace(
        _MOVIELENS, dropout=0.4, candidates=4096, epochs=60, patience=12, averaging=0.995, parts=()
    ),
    # The encoder without the pointer, to tell what each is worth.
    "encoder": replace(_BASE, parts=("surroundings", "times"), counts=False),
    # A rival: SASRec, a causal encoder of places alone with a binary loss.
    "sasrec": replace(
        _BASE,
        place_dropout=0.0,
        candidates=1,
        weight_decay=0.0,
        warm_up_share=0.05,
        epochs=200,
        max_events=60_000_000,
        patience=12,
        parts=(),
        counts=False,
    ),
}


def fitting(events: int) -> str:
    """Name the preset for a set of so many *events*, where nobody chose one."""
    return "small" if events <= SMALL_SET else "base"


def run_name(preset: str, settings: str, seed: int) -> str:
    """Name a run, so that a preset whose settings have changed gives another name.

    *settings* is `Preset.as_text` of what the run was trained with.
    """
    return f"{preset}-{hashlib.sha256(settings.encode()).hexdigest()[:8]}-{seed}"


def preset_named(name: str) -> Preset:
    """Return the preset called *name*."""
    if name not in PRESETS:
        raise UnknownPresetError(f"preset is {name!r}; use one of {sorted(PRESETS)}.")
    return PRESETS[name]
