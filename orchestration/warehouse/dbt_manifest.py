"""dbt's manifest as types: of each model and data test what the project asks of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models_ml.typed_json import LENIENT, read_json


@dataclass(frozen=True)
class DbtColumn:
    """A column, and what its YAML says of it."""

    name: str
    description: str = ""


@dataclass(frozen=True)
class _DependsOn:
    nodes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DbtModel:
    """A node of the manifest; ``fqn`` is the project and the folders down to the model."""

    name: str
    resource_type: str
    fqn: list[str]
    description: str = ""
    columns: Mapping[str, DbtColumn] = field(default_factory=dict)
    depends_on: _DependsOn = field(default_factory=_DependsOn)

    @property
    def stage(self) -> str:
        """The folder of `models/` in which it lies."""
        return self.fqn[1]

    @property
    def parents(self) -> list[str]:
        """The names of what it reads."""
        return [node.rpartition(".")[2] for node in self.depends_on.nodes]


@dataclass(frozen=True)
class Arguments:
    """What a generic test is asked of; a kind has some of these, or others that nobody reads."""

    column_name: str = field(default="", metadata=LENIENT)
    values: list[object] = field(default_factory=list, metadata=LENIENT)
    columns: list[str] = field(default_factory=list, metadata=LENIENT)
    to: str = field(default="", metadata=LENIENT)
    field: str = field(default="", metadata=LENIENT)


@dataclass(frozen=True)
class GenericTest:
    """A kind of test, such as `unique`, and what it is asked of."""

    name: str
    kwargs: Arguments


@dataclass(frozen=True)
class DbtTest:
    """A data test; a singular one, which is SQL of its own, has no ``test_metadata``."""

    description: str = ""
    test_metadata: GenericTest | None = None


@dataclass(frozen=True)
class _Manifest:
    nodes: Mapping[str, DbtModel]


def models_of(manifest: Path) -> list[DbtModel]:
    """List the models of dbt's *manifest*; tests, seeds and the like are left out."""
    nodes = read_json(manifest, _Manifest).nodes.values()
    return [node for node in nodes if node.resource_type == "model"]
