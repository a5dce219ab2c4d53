"""Everything that Dagster knows: assets, checks, jobs, the daily schedule.

`dagster dev -m orchestration.definitions` opens it for the home of the environment.
"""

import dagster as dg
from dagster_dbt import DbtCliResource

from orchestration.delivery.assets import (
    analyst_copy,
    dbt_docs,
    experiment_records,
    published_state,
    report_failed_run,
    run_report,
)
from orchestration.delivery.dead_runs import dead_runs
from orchestration.home.environment import DBT_PROJECT, enter
from orchestration.jobs import daily, every_night, land, refresh
from orchestration.landing.assets import landed
from orchestration.model.assets import evaluation, export, recommender, training_set
from orchestration.online.assets import online_features, registry
from orchestration.release.assets import bento, champion, first_answer, index, release
from orchestration.steps.home_resource import HomeResource
from orchestration.steps.lines import step_lines
from orchestration.warehouse.assets import elt_assets, incremental_equals_full_refresh
from orchestration.warehouse.dbt_command import dbt_executable
from serving.home import Home


def build_definitions(home: Home) -> dg.Definitions:
    """Define the whole graph for *home*."""
    return dg.Definitions(
        assets=[
            landed,
            elt_assets(home),
            registry,
            online_features,
            training_set,
            recommender,
            export,
            evaluation,
            first_answer,
            release,
            index,
            bento,
            champion,
            published_state,
            analyst_copy,
            dbt_docs,
            experiment_records,
            run_report,
        ],
        asset_checks=[incremental_equals_full_refresh],
        jobs=[land, refresh, daily],
        schedules=[every_night],
        sensors=[report_failed_run, dead_runs],
        resources={
            "home": HomeResource(root=str(home.root)),
            "dbt": DbtCliResource(
                project_dir=str(DBT_PROJECT),
                profiles_dir=str(DBT_PROJECT),
                dbt_executable=dbt_executable(),
            ),
        },
        loggers={"console": dg.colored_console_logger, "steps": step_lines},
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Make the definitions for the home that the environment names."""
    home = Home.find()
    enter(home)
    return build_definitions(home)
