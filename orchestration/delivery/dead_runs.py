"""Runs that were killed are ended, and leave a report like any that failed."""

import dagster as dg

from orchestration.delivery.write_report import write_report
from orchestration.steps.dead_runs import DeadRun, end_dead_runs
from orchestration.steps.home_resource import HomeResource
from orchestration.steps.job_names import DAILY, REFRESH
from serving.home import Home

LOOK_EVERY_S = 15


def end_and_report(
    home: Home, instance: dg.DagsterInstance, *, is_held_here: bool = False
) -> list[DeadRun]:
    """End the runs whose process is gone, as `end_dead_runs` does; whole runs get their report."""
    ended = end_dead_runs(home, instance, is_held_here=is_held_here)
    for dead in ended:
        if dead.run.job_name in {REFRESH, DAILY}:
            write_report(home, instance, dead.run.run_id, "failed")
    return ended


@dg.sensor(
    minimum_interval_seconds=LOOK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ends runs whose process was killed, so that the next need not wait for them.",
)
def dead_runs(context: dg.SensorEvaluationContext, home: HomeResource) -> dg.SkipReason:
    """Look for dead runs while Dagster's daemon runs, whoever started them."""
    ended = end_and_report(home.paths(), context.instance)
    told = "; ".join(map(str, ended))
    return dg.SkipReason(f"Ended: {told}" if ended else "No run is dead.")
