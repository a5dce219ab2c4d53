"""The small files of a home's `state/`: each is read as a type, and written in one step."""

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from models_ml.typed_json import JsonTypeError, json_text, read_json
from orchestration.home.atomic_files import write_atomically
from serving.home import Home

_T = TypeVar("_T")


class StateFileError(RuntimeError):
    """A file of `state/` is not what was written there."""


@dataclass(frozen=True)
class StateFile(Generic[_T]):
    """Where a value of one type is kept from run to run."""

    path: Path
    kind: type[_T]

    def read(self) -> _T | None:
        """Read what was kept; None where nothing was.

        Raises:
            StateFileError: the file holds something else.
        """
        if not self.path.exists():
            return None
        try:
            return read_json(self.path, self.kind)
        except JsonTypeError as error:
            raise StateFileError(
                f"{error} Nothing but the project writes there: remove the file, and run again."
            ) from error

    def write(self, value: _T) -> None:
        """Keep *value* in place of what was kept before."""
        write_atomically(self.path, json_text(value))

    def clear(self) -> None:
        """Keep nothing."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Folder:
    """The name of a folder of `training_sets/` or `models/`."""

    folder: str


@dataclass(frozen=True)
class Candidate:
    """The release that the run has made, and why, until it is promoted."""

    release_id: str
    reason: str


@dataclass(frozen=True)
class Held:
    """A release promoted by hand, and the model that was the newest one then."""

    release_id: str
    model: Folder | None


@dataclass(frozen=True)
class LastRun:
    """What the last whole run was asked for, and a fingerprint of what it was given."""

    fingerprint: str
    preset: str | None
    seed: int


@dataclass(frozen=True)
class Pointers:
    """What is current in a home: its training set, its model, what was made and what was run.

    What is live is not among them: that is the champion's pointer, which serving reads.
    """

    home: Home

    @property
    def training_set(self) -> StateFile[Folder]:
        return StateFile(self.home.current_training_set, Folder)

    @property
    def model(self) -> StateFile[Folder]:
        return StateFile(self.home.current_model, Folder)

    @property
    def candidate(self) -> StateFile[Candidate]:
        return StateFile(self.home.candidate, Candidate)

    @property
    def held(self) -> StateFile[Held]:
        return StateFile(self.home.promoted_by_hand, Held)

    @property
    def last_run(self) -> StateFile[LastRun]:
        return StateFile(self.home.last_run, LastRun)
