import shutil
from pathlib import Path

from orchestration.sources import land_registered, register, registered, resolve
from serving.home import Home


def test_a_source_is_remembered_once(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.state.mkdir(parents=True)
    entry = resolve("sample", tmp_path / "documents", None)
    for _ in range(2):
        register(home, entry)
    assert registered(home) == [entry]


def test_a_moved_home_finds_the_documents_inside_it(tmp_path: Path) -> None:
    first = Home(tmp_path / "first")
    documents = first.root / "sample_city" / "documents"
    documents.mkdir(parents=True)
    first.state.mkdir()
    (documents / "places.jsonl").write_text('{"_id": "p1", "name": "x"}\n')
    register(first, resolve("sample", documents, None))
    moved = Home(tmp_path / "second")
    shutil.move(first.root, moved.root)
    assert [file["lines_in"] for file in land_registered(moved)] == [1]
