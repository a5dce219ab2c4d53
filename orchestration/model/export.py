"""The model's network exported for serving, checked against the network itself."""

from pathlib import Path
from typing import Any

from orchestration.home.console import say


def export_model(model: Path, training_set: Path) -> dict[str, Any] | None:
    """Export the network of *model* for serving, checked on people of *training_set*.

    Returns what `serving.export.Export` says; nothing where there is no network to export.
    """
    from models_ml.data.training_set import read_training_set
    from models_ml.evaluation.ranking import some_people
    from serving.export import export

    made = export(model, lambda: some_people(read_training_set(training_set)))
    if made and made.refusal:
        say(f"torch will run the network, for {made.refusal}")
    return vars(made) if made else None
