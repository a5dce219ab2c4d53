"""What assets are given: the home they work on."""

from pathlib import Path

import dagster as dg

from serving.home import Home


class HomeResource(dg.ConfigurableResource):
    """The home whose state the assets read and write."""

    root: str

    def paths(self) -> Home:
        """Give the home's layout."""
        return Home(Path(self.root))
