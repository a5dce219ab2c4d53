"""The committed list of what may go online, and the apply that keeps to it.

Without it, a column added to a SQL model would be served by the next apply, unseen by anybody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from feature_repo.contract import View, read_views
from feature_repo.files import write_whole
from feature_repo.settings import open_store

LOCK = Path(__file__).with_name("features.lock.json")


class LockFileError(ValueError):
    """The lock is not what was written there."""


class LockError(RuntimeError):
    """The feature models differ from what has been agreed to."""

    def __init__(self, differences: Sequence[str], lock: Path) -> None:
        self.differences = list(differences)
        super().__init__(
            f"{lock.name}: the feature models differ from the lock:\n"
            + "".join(f"  - {difference}\n" for difference in differences)
            + "If this is meant, accept it and commit the file: tastemate plan --accept"
        )


@dataclass(frozen=True)
class LockedView:
    """What the lock says of a view; what somebody has taken out of the file is None."""

    entity: str | None = None
    timestamp: str | None = None
    online: bool | None = None
    service: str | None = None
    ttl_days: int | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


_LOCKED = TypeAdapter(dict[str, LockedView])


def locked_form(views: Sequence[View]) -> dict[str, LockedView]:
    """Say what the lock says of these *views*."""
    return {
        view.name: LockedView(
            entity=view.entity,
            timestamp=view.timestamp,
            online=view.online,
            service=view.service,
            ttl_days=view.ttl.days,
            columns={column.name: column.data_type for column in (view.key, *view.features)},
        )
        for view in views
    }


def differences(views: Sequence[View], lock: Path = LOCK) -> list[str]:
    """List what the *views* have that the lock has not, and the other way round."""
    agreed = _read(lock)
    wanted = locked_form(views)
    changes = [f"view '{name}' is new" for name in wanted if name not in agreed]
    changes += [f"view '{name}' is gone" for name in agreed if name not in wanted]
    for name in sorted(wanted.keys() & agreed.keys()):
        changes += _view_differences(name, agreed[name], wanted[name])
    return changes


def _read(lock: Path) -> dict[str, LockedView]:
    if not lock.exists():
        return {}
    try:
        return _LOCKED.validate_json(lock.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise LockFileError(
            f"{lock}: this is no lock: {where or 'the file'}: {first['msg']}. "
            "Take the committed file back, or remove it and write it anew: tastemate plan --accept"
        ) from None


def _view_differences(view: str, agreed: LockedView, wanted: LockedView) -> list[str]:
    then, now = vars(agreed), vars(wanted)
    differences = [
        f"view '{view}': {fact} is {now[fact]!r}, agreed was {then[fact]!r}"
        for fact in now
        if fact != "columns" and now[fact] != then[fact]
    ]
    before, after = agreed.columns, wanted.columns
    differences += [
        f"view '{view}': column '{c}' ({after[c]}) is new" for c in after if c not in before
    ]
    differences += [f"view '{view}': column '{c}' is gone" for c in before if c not in after]
    differences += [
        f"view '{view}': column '{c}' is {after[c]}, agreed was {before[c]}; "
        "a retyped feature is a new view beside the old"
        for c in after
        if c in before and before[c] != after[c]
    ]
    if not differences and list(before) != list(after):
        differences.append(f"view '{view}': the columns stand in another order")
    return differences


def require(views: Sequence[View], lock: Path = LOCK) -> None:
    """Refuse *views* that differ from the lock."""
    if found := differences(views, lock):
        raise LockError(found, lock)


def plan(home_root: Path, lock: Path = LOCK) -> list[str]:
    """List how the home's feature models differ from the lock; empty if they agree."""
    return differences(read_views(home_root), lock)


def accept(home_root: Path, lock: Path = LOCK) -> list[str]:
    """Rewrite the lock as the feature models are; return what has changed."""
    views = read_views(home_root)
    found = differences(views, lock)
    write_whole(lock, _LOCKED.dump_json(locked_form(views), indent=2).decode() + "\n")
    return found


def apply(home_root: Path, lock: Path = LOCK, online: str | None = None) -> list[str]:
    """Bring registry and online store to the definitions, if the lock agrees; name the views.

    The same as stock `feast apply` in this folder, without starting a process.
    """
    from feature_repo import objects

    views = read_views(home_root)
    require(views, lock)
    store = open_store(home_root, online)
    wanted = list(objects.by_name(home_root, views).values())
    store.apply(wanted, objects_to_delete=_left_over(store, wanted), partial=False)
    return [view.name for view in views]


def _left_over(store: Any, wanted: Sequence[Any]) -> list[Any]:
    """Find what the registry still holds of earlier definitions."""
    from feast.feature_view import DUMMY_ENTITY_NAME

    kept = {(type(thing), thing.name) for thing in wanted} | {(type(None), DUMMY_ENTITY_NAME)}
    held = [
        *store.list_feature_services(),
        *store.list_batch_feature_views(),
        *store.list_data_sources(),
        *store.list_entities(),
    ]
    return [
        thing
        for thing in held
        if (type(thing), thing.name) not in kept and thing.name != DUMMY_ENTITY_NAME
    ]
