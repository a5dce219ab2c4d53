"""A release in words, also where its card says little."""

from pathlib import Path

from orchestration.release.text import release_text
from serving.release import Release

CARD = {"kind": "baseline", "name": "ease", "created_at": "2026-01-02"}


def test_a_card_with_little_is_told_as_far_as_it_goes(tmp_path: Path) -> None:
    told = release_text(Release("r" * 32, tmp_path, CARD))
    assert told == (
        f"Release {'r' * 32} (baseline ease), made 2026-01-02.\n\nIt lies in {tmp_path}."
    )


def test_a_whole_card_is_told_with_reason_figures_and_page(tmp_path: Path) -> None:
    (tmp_path / "card.html").write_text("")
    figures = {"hr_1": 0.1, "hr_10": 0.4, "ndcg_10": 0.25, "mrr": 0.2, "n": 12}
    card = CARD | {
        "as_of": "2026-01-01", "reason": "nothing is better", "metrics": {"time": {"ease": figures}}
    }  # fmt: skip
    told = release_text(Release("r" * 32, tmp_path, card))
    assert "from data as of 2026-01-01." in told
    assert "Why: nothing is better" in told
    assert "| ease | 0.1000 | 0.4000 | 0.2500 | 0.2000 | 12 |" in told
    assert f"With pictures: {tmp_path / 'card.html'}" in told
