"""A release in words, also where its card says little."""

from dataclasses import replace
from pathlib import Path

from orchestration.release.text import release_text
from serving.card import Card
from serving.release import Release
from tests.made import RANKS

CARD = Card(
    release_id="r" * 32, kind="baseline", name="ease", created_at="2026-01-02", files={}
)  # fmt: skip


def test_a_card_with_little_is_told_as_far_as_it_goes(tmp_path: Path) -> None:
    told = release_text(Release("r" * 32, tmp_path, CARD))
    assert told == (
        f"Release {'r' * 32} (baseline ease), made 2026-01-02.\n\nIt lies in {tmp_path}."
    )


def test_a_whole_card_is_told_with_reason_figures_and_page(tmp_path: Path) -> None:
    (tmp_path / "card.html").write_text("")
    quality = {"time": {"ease": RANKS}}
    card = replace(CARD, as_of="2026-01-01", reason="nothing is better", metrics=quality)
    told = release_text(Release("r" * 32, tmp_path, card))
    assert "from data as of 2026-01-01." in told
    assert "Why: nothing is better" in told
    assert "| ease | 0.1000 | 0.4000 | 0.2500 | 0.2000 | 12 |" in told
    assert f"With pictures: {tmp_path / 'card.html'}" in told
