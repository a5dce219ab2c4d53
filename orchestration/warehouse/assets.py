"""dbt's models as assets: one key per model, [stage, model], and its tests as asset checks."""

import signal
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
from dagster_dbt import (
    DagsterDbtTranslator,
    DbtCliInvocation,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)

from models_ml.typed_json import decode
from orchestration import asset_keys as keys
from orchestration.steps.home_resource import STARTED_HERE, HomeResource
from orchestration.steps.interrupts import stop_if_asked, stopped_if_asked, was_asked_to_end
from orchestration.steps.load_ahead import load_ahead
from orchestration.steps.resource_usage import peak_mb
from orchestration.warehouse.dbt_command import ensure_manifest
from orchestration.warehouse.dbt_manifest import DbtTest
from orchestration.warehouse.dbt_test_text import claim
from orchestration.warehouse.held import WarehouseHeldError, wait_until_free
from serving.home import Home

# A folder is a stage, but for the intermediate models: they go with staging, as their tables do.
# One that reads marts would lead from there back to staging: its YAML names a later group.
STAGE_OF_FOLDER = {"intermediate": "staging"}


class StageTranslator(DagsterDbtTranslator):
    """Key and group every dbt node by its stage: `features/user_favor`, `raw/lines`.

    Each data test says in a sentence what it claims.
    """

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """Give dbt's own asset spec under our key and group."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = self.get_resource_props(manifest, unique_id)
        folder = "raw" if node["resource_type"] == "source" else node["fqn"][1]
        stage = spec.group_name or STAGE_OF_FOLDER.get(folder, folder)
        return spec.replace_attributes(key=dg.AssetKey([stage, node["name"]]), group_name=stage)

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """Give dbt's own check spec, which describes no test, with what the test claims."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None:
            return None
        test = decode(DbtTest, self.get_resource_props(manifest, unique_id), unique_id)
        return spec._replace(description=claim(test, asset_spec.key.path[-1]))


def elt_assets(home: Home) -> dg.AssetsDefinition:
    """Make the assets of the dbt project as it stands."""

    @dbt_assets(
        manifest=ensure_manifest(home),
        dagster_dbt_translator=StageTranslator(),
        name="elt",
        retry_policy=dg.RetryPolicy(max_retries=1, delay=5),
    )
    def elt(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        with stopped_if_asked():
            _wait_for_warehouse(home)
            # Unit tests try the SQL on rows of their own; the data of a run has no part in them.
            build = dbt.cli(["build", "--exclude-resource-type", "unit_test"], context=context)
            _stop_if_asked(build)
            if STARTED_HERE.items() <= context.run.tags.items() and not home.champion.exists():
                load_ahead()
            for event in build.stream():
                _stop_if_asked(build)
                yield _with_size(home, context, event, peak_mb(build.process.pid))

    return elt


@dg.asset_check(
    asset=keys.USER_FAVOR,
    name="incremental_equals_full_refresh",
    blocking=True,
    description="What a build added comes to what a full refresh gives, for a sample of people.",
)
def incremental_equals_full_refresh(home: HomeResource) -> dg.AssetCheckResult:
    """Build a sample of people anew and compare, if the build added to an earlier one."""
    from orchestration.warehouse.recheck import added_something, recheck, verdict

    with stopped_if_asked():
        if not added_something(home.paths()):
            return dg.AssetCheckResult(
                passed=True, description="Nothing was added to an earlier build."
            )
        rechecked = recheck(home.paths())
    return dg.AssetCheckResult(
        passed=rechecked.holds,
        description=verdict(rechecked),
        metadata={"people": rechecked.people, "rows": rechecked.rows, "wrong": rechecked.wrong},
    )


def _wait_for_warehouse(home: Home) -> None:
    """Wait for who has it open; trying the step again would be no other than waiting longer."""
    try:
        wait_until_free(home)
    except WarehouseHeldError as error:
        raise dg.Failure(str(error), allow_retries=False) from error


def _stop_if_asked(build: DbtCliInvocation) -> None:
    """End dbt and the step where dagster-dbt has missed that somebody wants them to end."""
    if was_asked_to_end():
        build.process.send_signal(signal.SIGINT)
        build.process.wait(timeout=build.termination_timeout_seconds)
        stop_if_asked()


def _with_size(home: Home, context: dg.AssetExecutionContext, event: Any, peak: float) -> Any:
    """Add rows and bytes of the Parquet file to the events of models that have one."""
    if not isinstance(event, dg.Output):
        return event
    stage, name = context.asset_key_for_output(event.output_name).path
    path = home.handed_on(f"{stage}/{name}")
    metadata = {**event.metadata, "peak_mb": round(peak, 1)}
    if path.exists():
        metadata |= {
            "dagster/row_count": pq.read_metadata(path).num_rows,
            "bytes": path.stat().st_size,
        }
    return event.with_metadata(metadata)
