"""Which sources a home takes its files from: read by whoever lands, and by whoever only looks."""

import json
from dataclasses import dataclass

from serving.home import Home


@dataclass(frozen=True)
class Registered:
    """A folder or file that a home ingests; *mapping* is the mapping file, but of the sample.

    Of the source `kafka` the path is that of the Kafka file, which names the topics.

    A path inside the home is relative to it, so that a home can be moved.
    """

    source: str
    path: str
    mapping: str | None = None


def registered(home: Home) -> list[Registered]:
    """List the home's sources in the order in which they were first ingested."""
    path = home.sources
    return [Registered(**entry) for entry in json.loads(path.read_text())] if path.exists() else []
