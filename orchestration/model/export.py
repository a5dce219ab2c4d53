"""The model's network exported for serving, checked against the network itself."""

from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.home.console import say

if TYPE_CHECKING:
    from models_ml.model_folder import ModelFolder
    from serving.card import Export


def export_model(model: "ModelFolder", training_set: Path) -> "Export | None":
    """Export the network of *model* for serving, checked on people of *training_set*.

    Nothing where there is no network to export. What was exported already is left as it is.
    """
    from models_ml.data.training_set import read_training_set
    from models_ml.evaluation.ranking import some_people
    from serving.export import export

    made = export(model, lambda: some_people(read_training_set(training_set)))
    if made and made.refusal:
        say(f"torch will run the network, for {made.refusal}")
    return made
