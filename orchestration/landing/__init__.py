"""Landing: raw files of any shape become the archive, and no line is lost.

It knows files, lines and users; what a document means is for dbt to say.
"""

from orchestration.landing.batches import UnreadableFile
from orchestration.landing.land import FileChanged, LandedFile, LandingBusy, land, recover
from orchestration.landing.mapping import Mapping, MappingError, load_mapping
from orchestration.landing.sources import NothingToLand, Source

__all__ = [
    "FileChanged",
    "LandedFile",
    "LandingBusy",
    "Mapping",
    "MappingError",
    "NothingToLand",
    "Source",
    "UnreadableFile",
    "land",
    "load_mapping",
    "recover",
]
