"""The settings: every environment variable of the project's own, each told once.

Whoever reads one reads it from the environment by its name; the tests hold that all who do are
told of here. `docs/reference/settings.md` and the table in the README are made from this list.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """An environment variable, what it decides, and what holds where it is not set."""

    name: str
    what: str
    default: str
    is_for_tests: bool = False


SETTINGS = (
    Setting("TASTEMATE_HOME", "where all state lies", "`.tastemate/` beside the project"),
    Setting(
        "TASTEMATE_ONLINE",
        "the online store, such as `redis://localhost:6379/0`",
        "SQLite in the home",
    ),
    Setting(
        "TASTEMATE_KEYS",
        "folder of the keys for pseudonyms, vault and quarantine",
        "`keys/` in the home",
    ),
    Setting(
        "TASTEMATE_MLFLOW",
        "the MLflow server that mirrors trainings and releases, such as `http://127.0.0.1:5000`",
        "SQLite in the home",
    ),
    Setting(
        "TASTEMATE_MEMORY",
        "how much memory a build may take before it uses the disk, such as `8GB`",
        "4 GB, or four fifths of the machine's where that is less",
    ),
    Setting(
        "TASTEMATE_NOW",
        "fixes the clock, for tests and rebuilds, and with it when a new sample city ends: a "
        "moment in ISO 8601, UTC where it has no zone",
        "the clock",
    ),
    Setting(
        "TASTEMATE_REQUIRE",
        "`all`: a test that cannot be run here fails instead of being left out",
        "it is left out, and named",
        is_for_tests=True,
    ),
)
