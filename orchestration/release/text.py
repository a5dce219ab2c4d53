"""A release in words: what it is, why it was made, how good it is."""

from orchestration.model.quality_tables import quality_tables
from orchestration.release.pack import PAGE
from serving.release import Release


def release_text(release: Release) -> str:
    """Tell of *release* what its card holds, for a person; one packed by hand may lack some."""
    card = release.card
    data = f" from data as of {card.as_of}" if card.as_of else ""
    what = f"Release {release.release_id} ({release.kind} {card.name})"
    parts = [f"{what}, made {card.created_at}{data}."]
    if card.reason:
        parts.append(f"Why: {card.reason}")
    if tables := quality_tables(card.metrics):
        parts.append(tables)
    parts.append(f"It lies in {release.folder}.")
    if (release.folder / PAGE).exists():
        parts.append(f"With pictures: {release.folder / PAGE}")
    return "\n\n".join(parts)
