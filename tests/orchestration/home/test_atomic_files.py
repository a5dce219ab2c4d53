from pathlib import Path

import pytest

from orchestration.home.atomic_files import new_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "old").touch()
    return folder


def fill_by_half(folder: Path) -> None:
    with new_folder(folder) as draft:
        (draft / "half").touch()
        raise OSError("disk full")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_folder_takes_the_place_of_the_old_one(folder: Path) -> None:
    with new_folder(folder) as draft:
        (draft / "new").touch()
        assert names(folder) == ["old"]
    assert (names(folder), names(folder.parent)) == (["new"], ["model"])


def test_one_that_was_left_half_filled_leaves_the_old_one_and_is_begun_anew(folder: Path) -> None:
    with pytest.raises(OSError, match="disk"):
        fill_by_half(folder)
    assert names(folder) == ["old"]
    with new_folder(folder) as draft:
        assert names(draft) == []
