"""The sample city of a home: made once, with the truth about its people beside it."""

from pathlib import Path

from orchestration.progress import console
from serving.home import Home


def folder(home: Home) -> Path:
    """Tell where the documents of the home's sample city lie."""
    return home.root / "sample_city" / "documents"


def truth(home: Home) -> Path:
    """Tell where the planted tastes lie, which no part of the product reads."""
    return home.root / "sample_city" / "truth" / "truth.parquet"
