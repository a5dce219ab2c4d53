"""Pictures as Dagster shows them."""

import base64
import io

import dagster as dg
from matplotlib.figure import Figure


def as_metadata(figure: Figure) -> dg.MarkdownMetadataValue:
    """Put *figure* where Dagster shows it: as a picture inside Markdown."""
    return dg.MetadataValue.md(f"![picture]({as_data_uri(figure)})")


def as_data_uri(figure: Figure) -> str:
    """Write *figure* as a PNG inside an address, for a page that is one file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
