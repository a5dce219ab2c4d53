"""Feast's settings for a home: `feast/feature_store.yaml`, and the stores opened from it."""

import json
import logging
import os
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from feature_repo.files import write_whole
from feature_repo.layout import Layout

PROJECT = "tastemate"

TOOL_PATIENCE_S = 5.0
"""How long a tool (apply, publish, parity) waits for Redis."""
REQUEST_PATIENCE_S = 0.05
"""How long a request waits for Redis: longer than that, and the endpoint answers without it."""


class SettingsError(ValueError):
    """A setting that cannot be used."""


def online_url(online: str | None = None) -> str:
    """Choose the online store: *online* if given, else `TASTEMATE_ONLINE`; empty means SQLite."""
    return os.environ.get("TASTEMATE_ONLINE", "") if online is None else online


def online_store(
    home_root: Path, online: str | None = None, patience_s: float = TOOL_PATIENCE_S
) -> dict[str, Any]:
    """Describe the online store as Feast wants it: Redis by its URL, else SQLite in the home."""
    url = online_url(online)
    if not url:
        return {"type": "sqlite", "path": str(Layout(home_root).online_store)}
    # Else Feast drops a row whose timestamp is not newer than the one that is there, and with it
    # every correction. One publisher at a time, with the current rows, needs no such guard.
    return {
        "type": "redis",
        "connection_string": redis_connection(url, patience_s),
        "skip_dedup": True,
    }


def redis_connection(url: str, patience_s: float) -> str:
    """Turn `redis://user:password@host:port/db` into Feast's own notation, with short waits.

    `retry=null` matters: with redis-py's default retries a frozen server holds a caller for
    seconds, whatever the socket timeout says.
    """
    parts = urlsplit(url)
    database = parts.path.strip("/") or "0"
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname or not database.isdigit():
        place = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        raise SettingsError(
            f"TASTEMATE_ONLINE is {place!r}, which is no Redis address. "
            "Write redis://host:port/db, or leave it empty for SQLite."
        )
    settings = [f"{parts.hostname}:{parts.port or 6379}", f"db={database}"]
    if parts.scheme == "rediss":
        settings.append("ssl=true")
    settings += [
        f"{name}={_quoted(unquote(value))}"
        for name, value in (("username", parts.username), ("password", parts.password))
        if value
    ]
    waits = (f"socket_timeout={patience_s}", f"socket_connect_timeout={patience_s}", "retry=null")
    return ",".join([*settings, *waits])


def store_identity(home_root: Path, url: str) -> str:
    """Tell which online store that is, without secrets: its kind and its place."""
    settings = online_store(home_root, url)
    if settings["type"] == "sqlite":
        return f"sqlite:{settings['path']}"
    return redis_identity(settings["connection_string"])


def redis_identity(connection: str) -> str:
    """Give the address and the database, not the password or the waits."""
    told = connection.split(",")
    return "redis:" + ",".join(part for part in told if "=" not in part or part.startswith("db="))


def _quoted(secret: str) -> str:
    # Feast splits at commas, reads JSON and expands $NAME: none of the three may touch a password.
    return json.dumps(secret).replace(",", "\\u002c").replace("$", "\\u0024")


def store_settings(home_root: Path, online: str | None = None) -> dict[str, Any]:
    """Describe the whole feature store of a home."""
    return {
        "project": PROJECT,
        "provider": "local",
        "registry": {
            "registry_type": "sql",
            "path": f"sqlite:///{Layout(home_root).registry}",
            # A killed `feast materialize` must not stop the serving of what is there.
            "serve_features_while_materializing": True,
        },
        "offline_store": {"type": "duckdb"},
        "online_store": online_store(home_root, online),
        # Without it, `feast materialize` holds every row in memory at once.
        "materialization": {"online_write_batch_size": 1000},
        "entity_key_serialization_version": 3,
    }


def write_feature_store_yaml(home_root: Path, online: str | None = None) -> Path:
    """Write the settings of a home, if they have changed; point `FEAST_FS_YAML_FILE_PATH` at them.

    A reader sees the old file or the new one, never half of one.
    """
    path = Layout(home_root).feature_store
    text = yaml.safe_dump(store_settings(home_root, online), sort_keys=False)
    if path.exists() and path.read_text() == text:
        return path
    write_whole(path, text, mode=0o600)  # a Redis password may stand in it
    return path


def quiet_feast() -> None:
    """Keep Feast's own warnings and hints from people who run our commands."""
    import feast  # noqa: F401 - whose import turns warnings on, so it has to come first

    logging.getLogger("feast").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"feast\..*")
    warnings.filterwarnings("ignore", module=r"ibis\..*")


def open_store(home_root: Path, online: str | None = None) -> Any:
    """Open the feature store of a home, as the tools see it."""
    quiet_feast()
    from feast import FeatureStore

    return FeatureStore(fs_yaml_file=write_feature_store_yaml(home_root, online))
