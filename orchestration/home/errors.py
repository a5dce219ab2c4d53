"""Which errors are a person's to act on: those are shown as a sentence, without a traceback."""

OURS = ("feature_repo", "models_ml", "orchestration", "serving")


class RefusedError(Exception):
    """A gate says no; exit code 3."""


def is_for_people(error: Exception) -> bool:
    """Say whether *error* is one of the project's own, whose message says what to do.

    Every exception class that the project defines is something a caller can act on. Asking for
    the module that made it needs no list of them, and no import of packages nobody used.
    """
    return any(made.__module__.partition(".")[0] in OURS for made in type(error).__mro__)
