"""Load a model folder, whatever it holds.

What runs the model is imported when it is known: an exported network is served without torch.
"""

from pathlib import Path

from models_ml.model_folder import ModelFolder, NetworkConfig
from models_ml.recommender import Recommender


def load(path: Path) -> Recommender:
    """Load what the model folder at *path* holds, a trained model or a baseline.

    Raises:
        ModelFolderError: it holds no finished model, or neither of the two.
    """
    folder = ModelFolder(path)
    config = folder.read_config()
    if isinstance(config, NetworkConfig):
        from models_ml.torch_model import TrainedModel

        return TrainedModel(folder, config)
    from models_ml.baselines.fit import read_baseline

    return read_baseline(folder, config)
