"""A release: everything that decides an answer except the people, named by its content.

Two machines that pack the same content give it the same name; a changed byte is
found by name. The card (metrics, times) lies beside the content, outside the hash.
"""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models_ml.model_folder import CONTENT as MODEL_FILES
from models_ml.model_folder import GRAPH, ModelFolder
from models_ml.typed_json import JsonTypeError, json_text, read_json
from serving.card import Card, Provenance
from serving.files import draft_folder, settle
from serving.home import now

REGISTRY = "registry.pb"
FEATURE_SCHEMA = "feature_schema.json"
CONTENT = (*MODEL_FILES, REGISTRY, FEATURE_SCHEMA)
CARD = "card.json"


class ReleaseError(Exception):
    """A release cannot be packed or must not be used; the message says which file."""


@dataclass(frozen=True)
class Release:
    """A release as it lies on disk."""

    release_id: str
    folder: Path
    card: Card

    @property
    def kind(self) -> Literal["model", "baseline"]:
        """`model`, or `baseline` where no model was good enough yet."""
        return self.card.kind

    @property
    def model(self) -> ModelFolder:
        """The release as the model folder that it was packed from."""
        return ModelFolder(self.folder)

    @property
    def is_exported(self) -> bool:
        """Whether ONNX Runtime runs its network, so that torch need not be there."""
        return self.model.graph.is_file()

    @property
    def registry(self) -> Path:
        return self.folder / REGISTRY


def pack(
    model_folder: Path,
    registry_pb: Path,
    feature_schema: Path,
    releases_dir: Path,
    provenance: Provenance,
) -> Release:
    """Put the parts of a release into *releases_dir* under the name of their content.

    A reader sees the whole release or none: it is made under a temporary name,
    written through to the disk and renamed. The same content packed again is the
    release that is already there, with the card it was first given.
    """
    sources = {name: model_folder / name for name in MODEL_FILES}
    sources |= {REGISTRY: registry_pb, FEATURE_SCHEMA: feature_schema}
    # Where there is one: the network as ONNX Runtime runs it. Without it torch does.
    if (model_folder / GRAPH).is_file():
        sources[GRAPH] = model_folder / GRAPH
    for name, source in sources.items():
        if not source.is_file():
            raise ReleaseError(
                f"{source}: there is no such file, and a release needs its {name}. "
                "Train the model and freeze the registry first: tastemate train"
            )
    with draft_folder(releases_dir) as draft:
        for name, source in sources.items():
            shutil.copyfile(source, draft / name)
        files = _hashes(draft)
        release_id = _identify(files)
        config = ModelFolder(draft).read_config()
        card = Card(
            **vars(provenance),
            release_id=release_id,
            kind=config.kind,
            name=config.name,
            created_at=now().isoformat(),
            files=files,
        )
        (draft / CARD).write_text(json_text(card))
        settle(draft, releases_dir / release_id)
    return open_release(releases_dir / release_id)


def verify(release_dir: Path, release_id: str | None = None) -> Release:
    """Check that every byte is as it was packed; refuse a changed file by name.

    *release_id* is what the content must hash to, by default the folder's name.
    """
    release = open_release(release_dir)
    hashes = _hashes(release_dir)
    packed = release.card.files
    for name in (*CONTENT, GRAPH):
        if hashes.get(name) != packed.get(name):
            raise ReleaseError(
                f"{release_dir / name}: its sha256 is {hashes.get(name)}, but it was packed as "
                f"{packed.get(name)}. Remove the folder and pack it again: tastemate run"
            )
    expected = release_id or release_dir.name
    if _identify(hashes) != expected:
        raise ReleaseError(
            f"{release_dir}: its content is release {_identify(hashes)}, not {expected}. "
            "Remove the folder and pack it again: tastemate run"
        )
    return release


def open_release(release_dir: Path) -> Release:
    """Open the release in *release_dir* without reading its weights."""
    missing = [name for name in (CARD, *CONTENT) if not (release_dir / name).is_file()]
    if missing:
        raise ReleaseError(
            f"{release_dir}: no release, it lacks {', '.join(missing)}. Pack one: tastemate run"
        )
    try:
        card = read_json(release_dir / CARD, Card)
    except JsonTypeError as error:
        raise ReleaseError(f"{error} Pack the release again: tastemate run") from error
    return Release(release_id=card.release_id, folder=release_dir, card=card)


def _hashes(folder: Path) -> dict[str, str]:
    hashes = {}
    for name in (name for name in (*CONTENT, GRAPH) if (folder / name).is_file()):
        with (folder / name).open("rb") as file:
            hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes


def _identify(files: Mapping[str, str]) -> str:
    """Name the content; 32 of the 64 digits, because a Bento tag holds no more than 63."""
    lines = "".join(f"{sha256}  {path}\n" for path, sha256 in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:32]
