"""What can keep a file from landing, for whoever calls to act on.

    LandingError
    ├── MappingError         the mapping is wrong, or does not fit the file
    ├── NothingToLandError   no file of the source is at the path
    ├── UnreadableFileError  a file as a whole cannot be read, so that it has no lines to count
    ├── FileChangedError     a file was written to while it was read
    ├── ReplayError          quarantined lines cannot be read once more
    ├── LandingBusyError     another process is landing into the same home
    ├── KafkaSettingsError   the file that says which topics to read cannot be used
    ├── BrokerError          a Kafka broker does not answer, or refuses
    └── MessagesLostError    a topic no longer has what was to land next

A line that cannot be read is no error: it is counted and kept.
"""


class LandingError(Exception):
    """Something keeps a file from landing."""


class MappingError(LandingError):
    """A mapping file cannot be used, or does not fit the file it is to describe."""


class NothingToLandError(LandingError):
    """The path given holds no file of the source."""


class UnreadableFileError(LandingError):
    """A file as a whole cannot be read, so that it has no lines to count."""


class FileChangedError(LandingError):
    """A file was written to while it was read."""


class ReplayError(LandingError):
    """Quarantined lines cannot be read once more."""


class LandingBusyError(LandingError):
    """Another process is landing into the same home."""


class KafkaSettingsError(LandingError):
    """The file that says which topics to read, and how, cannot be used."""


class BrokerError(LandingError):
    """A Kafka broker does not answer, or refuses."""


class MessagesLostError(LandingError):
    """A topic no longer has what was to land next."""
