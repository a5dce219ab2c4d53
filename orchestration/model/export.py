"""The model's network exported for serving, checked against the network itself."""

from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.home.console import say

if TYPE_CHECKING:
    from models_ml.model_folder import ModelFolder
    from serving.card import Export


class NotExportedError(RuntimeError):
    """A network that is to be served has not been exported."""


def require_export(model: "ModelFolder") -> None:
    """Refuse a network that was not exported: it would be judged by another runtime's pace.

    Raises:
        NotExportedError: it was not.
    """
    from serving.card import Export

    if model.read_config().kind == "model" and Export.read(model) is None:
        raise NotExportedError(
            f"{model.export}: the network of this model has not been exported for serving. Do that "
            "first: materialize model/export, or call tastemate evaluate."
        )


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
