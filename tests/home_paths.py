"""Finds where a module spells a path of the home instead of asking who knows it."""

import ast
from collections.abc import Iterator
from itertools import pairwise

from feature_repo.layout import Layout
from serving.home import Home, _At

PATHS = {
    name
    for layout in (Home, Layout)
    for name, value in vars(layout).items()
    if isinstance(value, (property, _At))
} | {"root"}
# What lies in these has a name of its own making, and how it looks inside is not the home's
# business: `home.releases / release_id / "card.json"`.
FOLDERS_OF_MANY = {"training_sets", "models", "releases", "indexes"}
FOLLOWED = {"resolve", "absolute", "joinpath"}


def spelled_paths(source: str) -> list[int]:
    """List the lines of *source* that join a literal to a path of a home."""
    tree = ast.parse(source)
    found = []
    for scope in ast.walk(tree):
        if isinstance(scope, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef)):
            nodes = list(_within(scope))
            names = _names_of_paths(nodes)
            found += [node.lineno for node in nodes if _is_spelled(node, names)]
    return sorted(set(found))


def _within(scope: ast.AST) -> Iterator[ast.AST]:
    """Walk a function without the functions in it."""
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _within(child)


def _names_of_paths(nodes: list[ast.AST]) -> set[str]:
    """Find the variables that hold a path of the home: `state = home.state`."""
    names = {"home_root"}
    for node in nodes:
        if isinstance(node, ast.Assign) and _is_of_home(node.value, names):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def _is_of_home(node: ast.AST, names: set[str]) -> bool:
    match node:
        case ast.Name(id=name):
            return name in names
        case (
            ast.Attribute(value=inner, attr="parent")
            | ast.Call(func=ast.Name(id="Path"), args=[inner, *_])
        ):
            return _is_of_home(inner, names)
        case ast.Attribute(attr=name):
            return name in PATHS
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _is_of_home(left, names) and not _is_one_of_many(left, right)
        case ast.Call(func=ast.Attribute(value=inner, attr=name)):
            return name in FOLLOWED and _is_of_home(inner, names)
    return False


def _is_one_of_many(folder: ast.AST, name: ast.AST) -> bool:
    """Say whether this is a release, an index or the like, under a name that is made up."""
    is_folder = isinstance(folder, ast.Attribute) and folder.attr in FOLDERS_OF_MANY
    return is_folder and not isinstance(name, ast.Constant)


def _is_spelled(node: ast.AST, names: set[str]) -> bool:
    match node:
        case ast.BinOp(left=left, op=ast.Div(), right=ast.Constant() | ast.JoinedStr() as right):
            return _is_of_home(left, names) and not _is_one_of_many(left, right)
        case ast.Call(func=ast.Attribute(value=inner, attr="joinpath"), args=parts):
            is_literal = any(isinstance(part, (ast.Constant, ast.JoinedStr)) for part in parts)
            return is_literal and _is_of_home(inner, names)
        case ast.JoinedStr(values=parts):
            return any(
                isinstance(path, ast.FormattedValue)
                and _is_of_home(path.value, names)
                and str(getattr(rest, "value", "")).startswith("/")
                for path, rest in pairwise(parts)
            )
    return False
