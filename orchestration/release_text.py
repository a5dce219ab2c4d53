"""A release in words: what it is, why it was made, how good it is."""

from orchestration.releasing import PAGE
from orchestration.report import quality_tables
from serving.release import Release


def release_text(release: Release) -> str:
    """Tell of *release* what its card holds, for a person."""
    card = release.card
    parts = [
        (
            f"Release {release.release_id} ({release.kind} {card['name']}), "
            f"made {card['created_at']} from data as of {card['as_of']}."
        ),
        f"Why: {card['reason']}",
        quality_tables(card["metrics"]),
        f"It lies in {release.folder}.",
    ]
    if (release.folder / PAGE).exists():
        parts.append(f"With pictures: {release.folder / PAGE}")
    return "\n\n".join(parts)
