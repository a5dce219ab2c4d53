"""Load a model folder, whatever it holds.

What runs the model is imported when it is known: an exported network is served without torch.
"""

from pathlib import Path

from models_ml.model_folder import ModelFolderError, read_config
from models_ml.recommender import Recommender


def load(folder: Path) -> Recommender:
    """Load whatever *folder* holds, a trained model or a baseline.

    Raises:
        ModelFolderError: it holds no finished model, or neither of the two.
    """
    config = read_config(folder)
    match config.get("kind"):
        case "model":
            from models_ml.torch_model import TrainedModel

            return TrainedModel(folder, config)
        case "baseline":
            from models_ml.baselines.fit import read_baseline

            return read_baseline(folder, config)
        case other:
            raise ModelFolderError(
                f"{folder / 'config.json'}: kind is {other!r}; it must be 'baseline' or 'model'."
            )
