from pathlib import Path

from feature_repo.layout import Layout


def test_a_home_is_found_by_its_feature_store(tmp_path: Path) -> None:
    assert Layout.around(Layout(tmp_path).feature_store) == Layout(tmp_path)
