"""Features as Feast knows them, and their current values in the online store."""

import dagster as dg

from orchestration import asset_keys as keys
from orchestration.steps.home_resource import HomeResource
from orchestration.steps.resource_usage import measured


@dg.asset(
    key=keys.REGISTRY, group_name="online", deps=[keys.USER_FAVOR, keys.PLACE], kinds={"feast"}
)
def registry(home: HomeResource) -> dg.MaterializeResult:
    """Feast's registry: entities, views and services as dbt's contracts define them."""
    from feature_repo import lock

    with measured() as cost:
        views = lock.apply(home.paths().root)
    return dg.MaterializeResult(metadata={"views": ", ".join(views), **cost.metadata()})


@dg.asset(
    key=keys.ONLINE_FEATURES,
    group_name="online",
    deps=[keys.REGISTRY],
    kinds={"feast"},
    retry_policy=dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL),
    check_specs=[
        dg.AssetCheckSpec(
            "online_equals_offline",
            asset=keys.ONLINE_FEATURES,
            blocking=True,
            description="Every key reads back from the online store as the warehouse has it.",
        )
    ],
)
def online_features(home: HomeResource) -> dg.MaterializeResult:
    """The current row of every person and place, in the online store."""
    with measured() as cost:
        from feature_repo.errors import TooManyOfflineError
        from orchestration.online.publish import publish_and_compare

        try:
            done = publish_and_compare(home.paths())
        except TooManyOfflineError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
    facts = {name: value for name, value in vars(done).items() if isinstance(value, int | float)}
    return dg.MaterializeResult(
        metadata={**facts, **cost.metadata()},
        check_results=[dg.AssetCheckResult(passed=done.holds, metadata=facts)],
    )
