"""Errors about feature rows, whoever meets them."""


class PublishError(ValueError):
    """Features that cannot be put online."""


class FeatureRowsError(PublishError):
    """A feature file that is missing, or breaks the rule of one row per key and moment."""


class FeatureValueError(PublishError):
    """A value that no online store can hold."""


class PublishingElsewhereError(PublishError):
    """Another publisher is at work on this home."""
