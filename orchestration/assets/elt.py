"""dbt's models as assets: one key per model, [folder, model], and its tests as asset checks."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets

from orchestration.measure import peak_mb
from orchestration.settings import DBT_PROJECT, exports
from serving.home import Home


class DbtError(RuntimeError):
    """dbt refused the project or a model; its own message is in the text."""


class StageTranslator(DagsterDbtTranslator):
    """Key and group every dbt node by its folder: `features/user_favor`, `raw/lines`."""

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """Give dbt's own asset spec under our key and group."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = self.get_resource_props(manifest, unique_id)
        stage = "raw" if node["resource_type"] == "source" else node["fqn"][1]
        return spec.replace_attributes(key=dg.AssetKey([stage, node["name"]]), group_name=stage)


def project_hash() -> str:
    """Fingerprint everything in the dbt project that decides what a build gives."""
    digest = hashlib.sha256()
    for path in sorted(DBT_PROJECT.rglob("*")):
        if path.suffix in {".sql", ".yml", ".csv"} and not {"target", "logs"} & set(path.parts):
            digest.update(path.relative_to(DBT_PROJECT).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def ensure_manifest(home: Home) -> Path:
    """Parse the dbt project if it has changed since the manifest was made.

    Raises:
        DbtError: dbt cannot parse the project.
    """
    manifest = home.dbt / "target" / "manifest.json"
    stamp = home.dbt / "manifest.sha256"
    wanted = project_hash()
    if not (manifest.exists() and stamp.exists() and stamp.read_text() == wanted):
        done = subprocess.run(  # noqa: S603 - our own command
            [dbt_executable(), "--quiet", "parse"],
            cwd=DBT_PROJECT, env=os.environ | exports(home), capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise DbtError(f"dbt parse: {done.stdout.strip() or done.stderr.strip()}")
        stamp.write_text(wanted)
    return manifest


def dbt_executable() -> str:
    """Find the dbt of this environment, also when the environment is not activated."""
    return str(Path(sys.executable).with_name("dbt"))


def elt_assets(home: Home) -> dg.AssetsDefinition:
    """Make the assets of the dbt project as it stands."""

    @dbt_assets(
        manifest=ensure_manifest(home),
        dagster_dbt_translator=StageTranslator(),
        name="elt",
        retry_policy=dg.RetryPolicy(max_retries=1, delay=5),
    )
    def elt(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        build = dbt.cli(["build"], context=context)
        for event in build.stream():
            yield _with_size(home, context, event, peak_mb(build.process.pid))

    return elt


def _with_size(home: Home, context: dg.AssetExecutionContext, event: Any, peak: float) -> Any:
    """Add rows and bytes of the Parquet file to the events of models that have one."""
    if not isinstance(event, dg.Output):
        return event
    stage, name = context.asset_key_for_output(event.output_name).path
    path = home.root / stage / f"{name}.parquet"
    metadata = {**event.metadata, "peak_mb": round(peak, 1)}
    if path.exists():
        metadata |= {
            "dagster/row_count": pq.read_metadata(path).num_rows,
            "bytes": path.stat().st_size,
        }
    return event.with_metadata(metadata)
