"""What docs/architecture.md says of the code is so, and what passes between stages has a type."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import architecture

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
UNTYPED = re.compile(r"(dict|Mapping|MutableMapping)\[[^\[\]]+, (Any|object)\]")
# What a library asks for in its own signatures.
NOT_OURS = {
    "orchestration/warehouse/assets.py: get_asset_spec": "overrides a method of dagster-dbt's",
    "orchestration/warehouse/assets.py: get_asset_check_spec": "so does this",
    "models_ml/typed_json.py: _hints": "a type hint may be anything",
    "feature_repo/settings.py: online_store": "a part of Feast's settings",
    "feature_repo/settings.py: store_settings": "Feast's settings, as its YAML has them",
    "orchestration/cli/reference/http_parts.py: Schema": "a part of an OpenAPI document",
    "orchestration/cli/reference/json_schema.py: Schema": "a JSON Schema",
    "serving/export.py: _example": "the dynamic shapes of torch.export",
    "serving/app.py: openapi": "FastAPI's OpenAPI document",
    "serving/problems.py: documented": "FastAPI's `responses`",
}


def test_the_picture_is_drawn_from_the_imports_as_they_are():
    assert architecture.PICTURE.read_text() == architecture.draw(), "draw it: make architecture"


def test_every_room_has_a_word_on_the_page():
    rooms = [
        path.name
        for package in ("orchestration", "models_ml", "serving", "feature_repo")
        for path in (ROOT / package).iterdir()
        if path.name[0] not in "._" and (path.is_dir() or path.suffix == ".py")
    ]
    assert len(rooms) > 60
    assert [room for room in rooms if f"`{room}" not in PAGE] == []


def test_every_file_that_the_page_sends_to_is_there():
    table = PAGE[PAGE.index("## Where do I change") :]
    named = [
        name for name in re.findall(r"`([\w/.*-]+/[\w/.*-]*)`", table) if not name.startswith("--")
    ]
    inside = [ROOT, ROOT / "orchestration", ROOT / "models_ml"]
    assert len(named) > 20
    assert [name for name in named if not any(list(at.glob(name)) for at in inside)] == []


def annotations(path: Path) -> Iterator[tuple[str, ast.expr]]:
    """Give all annotations of signatures, fields and variables, and what type aliases stand for."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            told = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            told += [one for one in (node.args.vararg, node.args.kwarg) if one]
            yield from ((node.name, one.annotation) for one in told if one.annotation)
            if node.returns:
                yield node.name, node.returns
        elif isinstance(node, ast.AnnAssign):
            yield ast.unparse(node.target), node.annotation
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript | ast.BinOp):
            yield ast.unparse(node.targets[0]), node.value


def untyped(path: Path) -> list[str]:
    return [
        name for name, annotation in annotations(path) if UNTYPED.search(ast.unparse(annotation))
    ]


@pytest.mark.parametrize("package", ["feature_repo", "models_ml", "orchestration", "serving"])
def test_what_passes_between_stages_has_a_type(package: str):
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for name in untyped(path)
    ]
    assert [place for place in found if place not in NOT_OURS] == []


@pytest.mark.parametrize(
    "code",
    [
        "def f(a: dict[str, Any]) -> None: ...",
        "def f() -> list[Mapping[str, object]]: ...",
        "def f() -> dict[int, Any]: ...",
        "class A:\n    a: dict[str, object]",
        "Row = dict[str, Any]",
    ],
)
def test_a_dict_of_anything_is_found(tmp_path: Path, code: str):
    (tmp_path / "a.py").write_text(code)
    assert len(untyped(tmp_path / "a.py")) == 1
