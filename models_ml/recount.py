"""Counts anew what answers beside the network of a model that was trained elsewhere.

Its network was taught there; what it counts is counted here, so that nobody has to believe that
only the training part was counted.
"""

from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file

from models_ml.baselines.fit import tuned_for
from models_ml.baselines.interpolation_fit import fit_mixture
from models_ml.baselines.linear_counts_fit import count_linear
from models_ml.baselines.tuning import Fit
from models_ml.data.tokens import Vocabulary
from models_ml.data.training_set import read_training_set
from models_ml.model_folder import ModelFolder, ModelFolderError, NetworkConfig, save_safetensors
from models_ml.recommender import is_beside_the_network
from models_ml.torch_model import TrainedModel
from models_ml.training.record import TrainingRecord
from models_ml.typed_json import json_text


def recount(folder: ModelFolder, data: Path, tuned: Path | None = None) -> None:
    """Fit what is beside the network in *folder* to the training set *data*: counts, and vectors.

    The weight of the counts is found anew, too; a model without counts gets none.

    Raises:
        ModelFolderError: the folder holds no trained model, or one with other places.
        TrainingSetError: *data* is no training set.
    """
    config, fit = folder.read_config(), Fit(read_training_set(data))
    if not isinstance(config, NetworkConfig):
        raise ModelFolderError(f"{folder.config}: is a baseline; only networks are trained.")
    if Vocabulary.read(folder).places.place_ids != fit.vocabulary.places.place_ids:
        raise ModelFolderError(
            f"{folder.places}: other places than those of the training part of {data}, so that the "
            "model has learned from something else. Export the training set again and train on it."
        )
    mixture = None
    if config.counts:
        counted = count_linear(fit, tuned_for(fit, tuned))
        mixture = fit_mixture(fit, counted, TrainedModel(folder, config).network_scores)
    beside = fit.taste.tensors | (mixture.tensors if mixture else {})
    network = load_file(folder.weights)
    tensors = {name: one for name, one in network.items() if not is_beside_the_network(name)}
    tensors |= {name: torch.from_numpy(value).contiguous() for name, value in beside.items()}
    save_safetensors(tensors, folder.weights, {})
    fit.vocabulary.write(folder)
    settings = mixture.settings if mixture else None
    record = TrainingRecord.read(folder)
    if record:
        folder.training.write_text(json_text(replace(record, counts=settings)))
    folder.config.write_text(json_text(replace(config, counts=settings)))
