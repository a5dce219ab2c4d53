"""A search for a preset that is stopped and gone on with, as its page invites one to."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from models_ml.presets import PRESETS, Preset
from orchestration.model import search as searching


def tried(out: Path, sessions: int, trials: int) -> list[list[str]]:
    """Search in *sessions* of *trials* each, without training; name the presets that were tried.

    Right: four sessions of 3 trials try as many different presets as one of 12 does. Seen: 6, for
    a seeded sampler begins anew in each session.
    """
    told: list[list[str]] = []

    def trained(_: Path, folder: Path, preset: Preset, **__: Any) -> SimpleNamespace:
        told[-1].append(folder.name)
        quality = preset.dropout + preset.averaging
        return SimpleNamespace(record=SimpleNamespace(validation_ndcg_10=quality))

    with patch.object(searching, "train", trained):
        for _ in range(sessions):
            told.append([])
            searching.search(Path("none"), out, PRESETS["base"], trials)
    return told
