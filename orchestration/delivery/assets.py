"""What a run leaves for people: its report, a warehouse for analysts, and the page about it."""

import dagster as dg

from orchestration import asset_keys as keys
from orchestration.delivery.report_text import as_markdown
from orchestration.delivery.write_report import write_report
from orchestration.home.console import say
from orchestration.steps.home_resource import STARTED_HERE, HomeResource
from orchestration.steps.resource_usage import measured


@dg.asset(
    key=keys.PUBLISHED_STATE,
    group_name="delivery",
    deps=[keys.USER_FAVOR, keys.PLACE, keys.FEATURE_MOMENTS],
)
def published_state(home: HomeResource) -> dg.MaterializeResult:
    """The hash of all that marts and features say, by which a rebuild is checked."""
    from orchestration.warehouse.state_hash import remember_published

    with measured() as cost:
        state = remember_published(home.paths())
    return dg.MaterializeResult(
        metadata={"state_hash": state.state_hash, "as_of": state.as_of, **cost.metadata()}
    )


@dg.asset(
    key=keys.ANALYST_COPY,
    group_name="delivery",
    deps=[keys.USER_FAVOR, keys.PLACE, keys.FEATURE_MOMENTS],
    kinds={"duckdb"},
)
def analyst_copy(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult:
    """Marts and features in a DuckDB file of their own, to read beside any build."""
    from orchestration.delivery.analyst_copy import publish_copy
    from orchestration.delivery.dbt_docs import publish_docs_ahead

    if STARTED_HERE.items() <= context.run.tags.items():
        # Of a run whose steps share this process: once the build is checked, none opens the
        # warehouse any more, and dbt may read it beside them.
        publish_docs_ahead(home.paths())
    with measured() as cost:
        path = publish_copy(home.paths())
    return dg.MaterializeResult(metadata={"bytes": path.stat().st_size, **cost.metadata()})


@dg.asset(
    key=keys.DBT_DOCS,
    group_name="delivery",
    # Late, for it may have begun beside other steps, and none but the report waits for it.
    op_tags={"dagster/priority": "-1"},
    deps=[keys.USER_FAVOR, keys.PLACE, keys.FEATURE_MOMENTS],
    kinds={"dbt"},
)
def dbt_docs(home: HomeResource) -> dg.MaterializeResult:
    """The page that dbt makes of its project, one file that opens in a browser."""
    from orchestration.delivery.dbt_docs import publish_docs

    with measured() as cost:
        is_new = publish_docs(home.paths())
    return dg.MaterializeResult(metadata={"is_new": is_new, **cost.metadata()})


@dg.asset(
    key=keys.EXPERIMENT_RECORDS,
    group_name="delivery",
    deps=[keys.EVALUATION, keys.CHAMPION],
    kinds={"mlflow"},
    check_specs=[
        dg.AssetCheckSpec(
            "mlflow_says_what_is_live",
            asset=keys.EXPERIMENT_RECORDS,
            description="MLflow's alias `champion` is the version that the home's pointer names.",
        )
    ],
)
def experiment_records(home: HomeResource) -> dg.MaterializeResult:
    """MLflow's copy of what was trained, how good it is, and what is live."""
    from orchestration.delivery import mlflow_mirror as tracking

    with measured() as cost:
        try:
            mirrored, error = tracking.mirror(home.paths()), ""
        except tracking.TrackingError as failure:
            # A mirror that is out of reach must not keep a day from being served.
            mirrored, error = None, str(failure)
            say(error)
    metadata = {"uri": mirrored.uri, "run": mirrored.run_id, "version": mirrored.version} if (
        mirrored) else {"error": error}  # fmt: skip
    return dg.MaterializeResult(
        metadata={**metadata, **cost.metadata()},
        check_results=[
            dg.AssetCheckResult(
                passed=mirrored is not None, severity=dg.AssetCheckSeverity.WARN, metadata=metadata
            )
        ],
    )


@dg.asset(
    key=keys.RUN_REPORT,
    group_name="delivery",
    deps=[
        keys.CHAMPION,
        keys.BENTO,
        keys.PUBLISHED_STATE,
        keys.ANALYST_COPY,
        keys.DBT_DOCS,
        keys.EXPERIMENT_RECORDS,
    ],
)
def run_report(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult:
    """What went in, what came out, how good it is, what it cost."""
    report = write_report(home.paths(), context.instance, context.run.run_id, "succeeded")
    return dg.MaterializeResult(metadata={"report": dg.MetadataValue.md(as_markdown(report))})


@dg.run_failure_sensor(
    description="Writes the report of a run that failed.",
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def report_failed_run(context: dg.RunFailureSensorContext, home: HomeResource) -> None:
    """Leave a report with status `failed`."""
    write_report(home.paths(), context.instance, context.dagster_run.run_id, "failed")
