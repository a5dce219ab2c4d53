"""Nothing is judged or packed of which nobody has tried to export the network."""

from pathlib import Path

import pytest

from models_ml.model_folder import ModelFolder
from models_ml.typed_json import json_text
from orchestration.model.export import NotExportedError, require_export
from serving.card import Export
from tests.made import write_model


def test_a_network_that_was_not_exported_is_refused(tmp_path: Path) -> None:
    model = write_model(ModelFolder(tmp_path))
    with pytest.raises(NotExportedError, match=r"export\.json.*tastemate evaluate"):
        require_export(model)
    refused = Export("w", {}, None, 0.001, None, "it cannot be exported")
    model.export.write_text(json_text(refused))
    require_export(model)


def test_a_baseline_has_nothing_to_export(tmp_path: Path) -> None:
    require_export(write_model(ModelFolder(tmp_path), config={"kind": "baseline"}))
