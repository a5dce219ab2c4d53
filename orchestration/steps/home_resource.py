"""What assets are given: the home they work on, and who may work on it."""

from pathlib import Path

import dagster as dg

from orchestration.home.lock import alone
from serving.home import Home

STARTED_HERE = {"tastemate/started_by": "tastemate run"}
"""The tags of runs that hold the home themselves."""


def is_of_a_verb(run: dg.DagsterRun) -> bool:
    """Say whether a process of the command does the run itself, holding the home.

    A run that is tried again from Dagster's page takes the tags of the first one with it, but
    Dagster starts it.
    """
    return STARTED_HERE.items() <= run.tags.items() and run.remote_job_origin is None


class HomeResource(dg.ConfigurableResource):
    """The home whose state the assets read and write."""

    root: str

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Refuse a run of Dagster's own on a home that `tastemate run` is working on."""
        run = context.run
        if run is not None and not is_of_a_verb(run):
            with alone(self.paths()):
                return

    def paths(self) -> Home:
        """Give the home's layout."""
        return Home(Path(self.root))
