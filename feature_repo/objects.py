"""Feature models as Feast objects: entities, sources, views and services."""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from feast import Entity, FeatureService, FeatureView, Field, FileSource, Project, types
from feast.data_format import ParquetFormat
from feast.value_type import ValueType

from feature_repo.contract import Column, View
from feature_repo.layout import Layout
from feature_repo.settings import PROJECT

FeastObject: TypeAlias = Entity | FileSource | FeatureView | FeatureService | Project


def by_name(home_root: Path, views: Iterable[View]) -> dict[str, FeastObject]:
    """Build every Feast object of the *views*, each under a name of its own."""
    views = list(views)
    entities = {view.entity: _entity(view) for view in views}
    made = {view.name: _feature_view(home_root, view, entities[view.entity]) for view in views}
    named: dict[str, FeastObject] = {f"view_{name}": view for name, view in made.items()}
    named |= {f"source_{name}": view.batch_source for name, view in made.items()}
    named |= {f"entity_{name}": entity for name, entity in entities.items()}
    for service in sorted({view.service for view in views}):
        read = [view for view in views if view.service == service]
        named[f"service_{service}"] = FeatureService(
            name=service,
            features=[made[view.name] for view in read],
            description=f"Reads {', '.join(view.name for view in read)}.",
        )
    named["project"] = Project(
        name=PROJECT, description="People of similar taste, and their places."
    )
    return named


def _entity(view: View) -> Entity:
    return Entity(
        name=view.entity,
        join_keys=[view.key.name],
        value_type=ValueType[view.key.type.feast.upper()],
        description=view.key.description,
    )


def _feature_view(home_root: Path, view: View, entity: Entity) -> FeatureView:
    return FeatureView(
        name=view.name,
        entities=[entity],
        ttl=view.ttl,
        schema=[_field(column) for column in (view.key, *view.features)],
        source=FileSource(
            name=view.name,
            path=str(Layout(home_root).rows_of(view.name)),
            timestamp_field=view.timestamp,
            file_format=ParquetFormat(),
            description=f"What dbt hands on of the model {view.name}.",
        ),
        online=view.online,
        description=view.description,
        owner=view.owner,
        tags=dict(view.tags),
    )


def _field(column: Column) -> Field:
    kind = getattr(types, column.type.feast)
    dtype = types.Array(kind) if column.type.is_list else kind
    return Field(name=column.name, dtype=dtype, description=column.description)
