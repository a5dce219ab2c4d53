"""The feature models of dbt's manifest as a type: what their YAML says, and what it may not say."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ValidationError, field_validator, model_validator


class ContractError(ValueError):
    """A feature model whose YAML cannot be turned into a Feast view."""


class _Told(BaseModel):
    """A part of the manifest; what is known and written as null is not told."""

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, told: object) -> object:
        if isinstance(told, dict):
            untold = {*cls.model_fields} - {"online"}  # where null has always meant no
            return {
                name: value
                for name, value in told.items()
                if value is not None or name not in untold
            }
        return told


class FeastMeta(_Told, extra="allow"):
    """What ``meta.feast`` of a feature model says; ``ttl`` in days, zero: for ever."""

    entity: str = ""
    timestamp: str = ""
    service: str = ""
    ttl: float = 0
    online: bool | None = True
    owner: str = ""
    pii: str = "none"
    exclude: list[str] = []

    @field_validator("pii", mode="before")
    @classmethod
    def _as_text(cls, told: object) -> str:
        return str(told or "none")


class ColumnYaml(_Told):
    """What the YAML says of a column."""

    data_type: str = ""
    description: str = ""


class _Contract(_Told):
    enforced: bool = False


class _Meta(_Told):
    feast: object = None


class _Config(_Told):
    meta: _Meta = _Meta()
    contract: _Contract = _Contract()


class FeatureModel(_Told):
    """A node of the manifest."""

    name: str
    resource_type: str
    original_file_path: str
    patch_path: str = ""
    description: str = ""
    config: _Config = _Config()
    columns: Mapping[str, ColumnYaml] = {}

    @property
    def is_feature_model(self) -> bool:
        return self.resource_type == "model" and bool(self.config.meta.feast)

    @property
    def place(self) -> str:
        """The file to look into when something is wrong."""
        return (self.patch_path or self.original_file_path).rpartition("://")[2]

    @property
    def has_contract(self) -> bool:
        return self.config.contract.enforced

    def feast(self) -> FeastMeta:
        """Read what is said to Feast.

        Raises:
            ContractError: something unknown, of another type or too little is said.
        """
        try:
            meta = FeastMeta.model_validate(self.config.meta.feast)
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, one['loc']))} is {one['input']!r}: {one['msg']}"
                for one in error.errors()
            )
            raise ContractError(f"{self.place}: meta.feast of '{self.name}': {wrong}.") from None
        if unknown := sorted(meta.model_extra or ()):
            raise ContractError(
                f"{self.place}: meta.feast of '{self.name}' has {unknown}. "
                f"It may have {sorted(FeastMeta.model_fields)}."
            )
        needed = ("entity", "timestamp", "service")
        if missing := [name for name in needed if not getattr(meta, name)]:
            raise ContractError(f"{self.place}: meta.feast of '{self.name}' lacks {missing}.")
        return meta


class _Manifest(BaseModel):
    nodes: Mapping[str, FeatureModel]


def feature_models(manifest: Path) -> list[FeatureModel]:
    """List the feature models of dbt's *manifest*, by name.

    Raises:
        ContractError: it is no manifest of dbt's.
    """
    try:
        nodes = _Manifest.model_validate_json(manifest.read_bytes()).nodes.values()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ContractError(
            f"{manifest}: this is no dbt manifest: {where or 'the file'}: {first['msg']}. "
            "Make it: tastemate build, or dbt parse"
        ) from None
    return sorted((node for node in nodes if node.is_feature_model), key=lambda one: one.name)
