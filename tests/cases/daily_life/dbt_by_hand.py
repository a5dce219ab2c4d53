"""dbt run by hand in a home that `tastemate run` has completed, so that no command knows of it."""

from orchestration.warehouse.dbt_command import run_dbt
from serving.home import Home


def empty(home: Home) -> None:
    """Build all models without rows, as CI does that asks for schemas alone.

    Right: `tastemate run` sees that what is published is not what it published, and builds;
    `doctor` tells; `materialize` refuses to empty a store, or asks for a word. Seen: `run` finds
    nothing new, `doctor` everything well, and after `materialize` nobody is online any more, all
    with exit code 0. Only `parity` says something.
    """
    run_dbt(home, "run", "--empty", tell=lambda _: None)


def shorten(home: Home) -> None:
    """Build the feature of histories anew, of five events each; the cause is the same.

    Right and seen: as above, but nothing is empty.
    """
    variables = ("--vars", "{events_in_favor: 5}")
    run_dbt(home, "build", *variables, "--select", "user_favor", tell=lambda _: None)
