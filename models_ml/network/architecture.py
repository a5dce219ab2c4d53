"""The architecture of a network, for whoever builds it or only asks what it reads: no torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """All that is needed to build the network again, besides its vocabulary."""

    hidden_size: int
    layers: int
    heads: int
    dropout: float
    place_dropout: float
    has_times: bool
    has_pointer: bool
    has_surroundings: bool = True
    pre_norm: bool = False
