"""The raw archive, by landing day: what the sources had, line by line."""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from orchestration import asset_keys as keys
from orchestration.home.errors import is_for_people
from orchestration.landing.land import LandedFile
from orchestration.landing.registered import land_registered
from orchestration.steps.home_resource import STARTED_HERE, HomeResource
from orchestration.steps.resource_usage import measured
from serving.home import Home, now

# The day that has begun is a partition too: what lands today belongs to it, whenever it arrived.
LANDING_DAYS = dg.DailyPartitionsDefinition(start_date="2020-01-01", end_offset=1)


@dg.multi_asset(
    name="landed",
    group_name="raw",
    specs=[
        dg.AssetSpec(keys.LINES, description="Every line of every file, users as pseudonyms."),
        dg.AssetSpec(keys.FILES, description="The ledger: a row per landed file."),
        dg.AssetSpec(keys.FIELDS, description="Which fields each file's documents have."),
    ],
    partitions_def=LANDING_DAYS,
    retry_policy=dg.RetryPolicy(max_retries=1, delay=5),
)
def landed(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[dg.MaterializeResult]:
    """Land what is new in the home's sources; of a day that is over, what arrived on that day."""
    paths = home.paths()
    with measured() as cost:
        files = _landed(paths, _day_of(context))
    new = [file for file in files if file.status == "landed"]
    yield dg.MaterializeResult(
        asset_key=keys.LINES,
        metadata={
            "lines": sum(file.lines_in for file in new),
            "bytes": sum(file.bytes for file in new),
            **cost.metadata(),
        },
    )
    yield dg.MaterializeResult(asset_key=keys.FILES, metadata={"files": len(new)})
    yield dg.MaterializeResult(asset_key=keys.FIELDS)


def _day_of(context: dg.AssetExecutionContext) -> date | None:
    """Read the day of a partition; None for today's, to which all belongs that is still to land.

    The command's own runs are always of the day on which they began, be it over by now.
    """
    day = date.fromisoformat(context.partition_key)
    is_today = day >= now().date() or STARTED_HERE.items() <= context.run.tags.items()
    return None if is_today else day


def _landed(home: Home, day: date | None) -> list[LandedFile]:
    try:
        return land_registered(home, day)
    except Exception as error:
        if is_for_people(error):  # a file or a mapping is wrong, and will be wrong again
            raise dg.Failure(str(error), allow_retries=False) from error
        raise
