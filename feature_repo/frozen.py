"""Feast's definitions frozen for a release: registry and schema, nothing of when or where.

The same definitions give the same bytes, so that a release's id depends on what the release reads
and not on when or where it was made.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from feature_repo.settings import open_store

REGISTRY = "registry.pb"
SCHEMA = "feature_schema.json"


@dataclass(frozen=True)
class ColumnSchema:
    """A column of a view, and its type as Feast names it."""

    name: str
    type: str


@dataclass(frozen=True)
class ViewSchema:
    """A view that a service reads; ``ttl_days`` is zero where a row is valid for ever."""

    view: str
    key: str
    timestamp: str
    ttl_days: int
    columns: list[ColumnSchema]


@dataclass(frozen=True)
class ServiceSchema:
    """What a service reads: its views, in order."""

    service: str
    views: list[ViewSchema]


@dataclass(frozen=True)
class FeatureSchema:
    """What `feature_schema.json` holds."""

    services: list[ServiceSchema]


def freeze(home_root: Path, out: Path) -> None:
    """Write `registry.pb` and `feature_schema.json` of the home's feature services into *out*.

    Both services go in, since a request reads users and the places that the release does not know.
    """
    store = open_store(home_root)
    services = sorted(store.list_feature_services(), key=_name)
    views = sorted(store.list_batch_feature_views(), key=_name)
    entities = sorted(
        (store.get_entity(name) for name in {name for view in views for name in view.entities}),
        key=_name,
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / REGISTRY).write_bytes(_registry(store, services, views, entities))
    schema = FeatureSchema([_schema(store, service) for service in services])
    (out / SCHEMA).write_text(json.dumps(asdict(schema), indent=2) + "\n")


def _name(thing: Any) -> str:
    return str(thing.name)


def _schema(store: Any, service: Any) -> ServiceSchema:
    views = [store.get_feature_view(found.name) for found in service.feature_view_projections]
    return ServiceSchema(
        service.name,
        [
            ViewSchema(
                view=view.name,
                key=view.entity_columns[0].name,
                timestamp=view.batch_source.timestamp_field,
                ttl_days=view.ttl.days if view.ttl else 0,
                columns=[ColumnSchema(field.name, str(field.dtype)) for field in view.features],
            )
            for view in views
        ],
    )


def _registry(store: Any, services: list[Any], views: list[Any], entities: list[Any]) -> bytes:
    """Serialize the objects without the times of their making, their state and absolute paths."""
    from feast.protos.feast.core.Registry_pb2 import Registry

    registry = Registry(registry_schema_version="1")
    registry.projects.append(store.get_project(store.project).to_proto())
    registry.entities.extend(entity.to_proto() for entity in entities)
    registry.feature_views.extend(view.to_proto() for view in views)
    registry.feature_services.extend(service.to_proto() for service in services)
    for frozen in (
        *registry.projects,
        *registry.entities,
        *registry.feature_views,
        *registry.feature_services,
    ):
        frozen.ClearField("meta")
    for entity in registry.entities:
        entity.spec.project = store.project
    for view in registry.feature_views:
        view.spec.project = store.project
        _scrub(view.spec.batch_source)
    for service in registry.feature_services:
        service.spec.project = store.project
        for projection in service.spec.features:
            _scrub(projection.batch_source)
    return bytes(registry.SerializeToString(deterministic=True))


def _scrub(source: Any) -> None:
    source.ClearField("meta")
    source.file_options.uri = f"features/{Path(source.file_options.uri).name}"
