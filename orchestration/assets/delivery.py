"""What a run leaves for people: its report."""

import dagster as dg

from orchestration import asset_keys as keys
from orchestration.report import as_markdown, write_report
from orchestration.resources import HomeResource


@dg.asset(key=keys.RUN_REPORT, group_name="delivery", deps=[keys.CHAMPION, keys.BENTO])
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
