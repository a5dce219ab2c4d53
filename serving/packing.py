"""Run in the folder of a bento to be: puts the release into BentoML's store and builds the bento.

python packing.py TAG RELEASE_FOLDER
"""

import contextlib
import shutil
import sys
from pathlib import Path

import bentoml
from bentoml.exceptions import NotFound


def pack(tag: str, release: Path) -> None:
    """Store *release* as the model *tag*, then build `bentofile.yaml` here as the bento *tag*."""
    try:
        bentoml.models.get(tag)
    except NotFound:
        with bentoml.models.create(tag) as model:
            shutil.copytree(release, model.path_of("release"))
    with contextlib.suppress(NotFound):
        bentoml.delete(tag)
    bentoml.bentos.build_bentofile("bentofile.yaml", version=tag.partition(":")[2], build_ctx=".")


if __name__ == "__main__":
    pack(sys.argv[1], Path(sys.argv[2]))
