"""The environment in which the stock tools work on one home.

`exports` is what `tastemate env` prints; `enter` puts it into this process and
writes the two settings files that lie in the home, Dagster's and Feast's.
"""

import os
from pathlib import Path

import yaml

from feature_repo.layout import Layout
from feature_repo.settings import write_feature_store_yaml
from serving.home import Home

PROJECT = Path(__file__).resolve().parents[2]
DBT_PROJECT = PROJECT / "dbt_project"

# None of the tools reports anything to anybody, and no library reaches for a hub.
SILENT = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "FEAST_TELEMETRY": "False",
    "FEAST_USAGE": "False",
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    "BENTOML_DO_NOT_TRACK": "True",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    # What libraries tell each other about coming versions is no concern of who uses them.
    "PYTHONWARNINGS": "ignore::DeprecationWarning,ignore::FutureWarning",
}

DAGSTER_YAML = {
    "telemetry": {"enabled": False},
    "nux": {"enabled": False},
    # A worker that dies with its machine leaves a run STARTED for ever; this ends it.
    "run_monitoring": {"enabled": True, "max_runtime_seconds": 14 * 3600},
    "run_retries": {"enabled": True, "max_retries": 2},
    # Two runs of one home would write the same files.
    "concurrency": {"runs": {"max_concurrent_runs": 1}},
    "retention": {"schedule": {"purge_after_days": 30}, "sensor": {"purge_after_days": 30}},
}


def exports(home: Home) -> dict[str, str]:
    """Give the variables after which dbt, feast, dagster, bentoml and mlflow work on *home*."""
    return {
        "TASTEMATE_HOME": str(home.root),
        "DBT_PROFILES_DIR": str(DBT_PROJECT),
        "DBT_PROJECT_DIR": str(DBT_PROJECT),
        "DBT_TARGET_PATH": str(home.dbt_target),
        "DBT_LOG_PATH": str(home.dbt_logs),
        "FEAST_FS_YAML_FILE_PATH": str(Layout(home.root).feature_store),
        "BENTOML_HOME": str(home.bentoml),
        "DAGSTER_HOME": str(home.dagster),
        **_records(home),
        "TASTEMATE_MEMORY": os.environ.get("TASTEMATE_MEMORY") or _enough_memory(),
        **SILENT,
    }


def _records(home: Home) -> dict[str, str]:
    """Tell MLflow's clients where its records are, and its server, which reads another variable."""
    server = os.environ.get("TASTEMATE_MLFLOW")
    if server:
        return {"MLFLOW_TRACKING_URI": server}
    names = ("MLFLOW_TRACKING_URI", "MLFLOW_BACKEND_STORE_URI")
    return dict.fromkeys(names, f"sqlite:///{home.mlflow_database}")


def _enough_memory() -> str:
    """Tell what a build needs, however much there is to build; never more than DuckDB would take.

    Its own default is four fifths of the machine or container, and more makes no build faster.
    """
    import duckdb

    return str(
        duckdb.execute(
            "select format_bytes("
            "least(parse_formatted_bytes(current_setting('memory_limit')), 4_000_000_000)::bigint)"
        ).fetchall()[0][0]
    )


def enter(home: Home) -> None:
    """Make *home* ready to work in, and this process work in it."""
    os.environ.update(exports(home))
    for folder in (
        home.dbt,
        home.feast,
        home.bentoml,
        home.dagster,
        home.warehouse.parent,
        home.marts,
        home.features,
        home.reports,
        home.state,
    ):
        folder.mkdir(parents=True, exist_ok=True)
    write_feature_store_yaml(home.root, os.environ.get("TASTEMATE_ONLINE") or None)
    _write_dagster_yaml(home.dagster_settings)


def _write_dagster_yaml(path: Path) -> None:
    """Write the default once; from then on the file is the operator's."""
    if not path.exists():
        path.write_text(yaml.safe_dump(DAGSTER_YAML, sort_keys=False))
