"""Landing: raw files of any shape become the archive, and no line is lost.

It knows files, lines and users; what a document means is for dbt to say.
"""

from orchestration.landing.errors import LandingError
from orchestration.landing.land import LandedFile, land, recover
from orchestration.landing.mapping import Mapping, load_mapping
from orchestration.landing.sources import Source

__all__ = ["LandedFile", "LandingError", "Mapping", "Source", "land", "load_mapping", "recover"]
