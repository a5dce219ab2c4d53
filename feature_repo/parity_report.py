"""What a comparison of online and offline features found, as a type that loads no Feast."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ParityReport:
    """What a comparison found: keys looked at, equal, and in which way the others are not.

    ``missing`` keys are offline and not online, ``extra`` ones online and not offline. It ``holds``
    where all are equal; ``examples`` are the first few differences in words.
    """

    keys: int
    equal: int
    different: int
    missing: int
    extra: int
    examples: list[str]
    holds: bool
