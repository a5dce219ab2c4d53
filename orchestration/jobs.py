"""The jobs: landing, all that follows from it, and both together every night."""

import dagster as dg

from orchestration import asset_keys as keys
from orchestration.steps.job_names import DAILY, LAND, REFRESH

_RAW = dg.AssetSelection.assets(keys.LINES, keys.FILES, keys.FIELDS)
_EVERYTHING = dg.AssetSelection.all()

land = dg.define_asset_job(LAND, _RAW)
refresh = dg.define_asset_job(REFRESH, _EVERYTHING - _RAW)
daily = dg.define_asset_job(DAILY, _EVERYTHING)
every_night = dg.build_schedule_from_partitioned_job(
    daily,
    name="every_night",
    hour_of_day=3,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="The daily run: what has landed since yesterday, up to a new index.",
)
