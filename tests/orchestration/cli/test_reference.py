"""The reference pages say what the code says, and all of it."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator

from models_ml.typed_json import ABSENT
from orchestration.cli import main
from orchestration.cli.reference import pages, verb_page
from orchestration.cli.reference.json_schema import DIALECT, of_type, parts_of, whole
from orchestration.cli.reference.markdown import PageError, filled, table
from orchestration.cli.reference.values import VALUES
from orchestration.home.environment import PROJECT
from orchestration.home.settings import SETTINGS, Setting
from serving.app import make_app
from serving.problems import CODES

HTTP = (pages.REFERENCE / "http.md").read_text()
VERBS = dict(verb_page.verbs())
LISTED = PROJECT / "orchestration" / "home" / "settings.py"
_NAMED = re.compile(r"TASTEMATE_[A-Z_]*[A-Z]")
_READ = re.compile(r"""(?:environ(?:\.get)?|env_var)\s*[(\[]\s*["'](TASTEMATE_[A-Z_]+)""")


def test_every_page_and_schema_is_as_the_code_gives_it() -> None:
    stale = [
        str(path.relative_to(PROJECT))
        for path, text in pages.made().items()
        if not path.exists() or path.read_text() != text
    ]
    assert stale == [], "make reference"


def test_no_schema_is_left_of_what_no_verb_gives() -> None:
    assert {*pages.SCHEMAS.iterdir()} == {
        path for path in pages.made() if path.parent == pages.SCHEMAS
    }


def test_every_verb_and_every_option_has_a_help_text() -> None:
    silent = [name for name, verb in VERBS.items() if not verb.help]
    silent += [
        f"{name} {option.opts[0]}"
        for name, verb in {"": main, **VERBS}.items()
        for option in verb.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert silent == []


def test_every_argument_is_told_of_in_its_verbs_usage_and_table() -> None:
    page = (pages.REFERENCE / "cli.md").read_text()
    for name, verb in VERBS.items():
        _, _, section = page.partition(f"\n## {name}\n")
        section = section.partition("\n## ")[0]
        named = [one.opts[0] for one in verb.params if isinstance(one, click.Option)]
        named += [one.human_readable_name for one in verb.params if isinstance(one, click.Argument)]
        assert [one for one in named if f"`{one}`" not in section] == [], name


def test_the_page_is_the_same_in_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = verb_page.as_markdown()
    monkeypatch.setenv("COLUMNS", "30")
    assert verb_page.as_markdown() == wide


def test_what_a_help_says_of_exit_codes_is_on_the_page() -> None:
    @click.command(help="Look. Exit 1 where\nsomething is odd; else do nothing.")
    @click.option("--gate", is_flag=True, help="Exit 3 unless all is well.")
    def verb(*, gate: bool) -> None:
        """Never run."""

    assert verb_page.exits(verb) == {
        1: ["where something is odd"],
        3: ["with `--gate` unless all is well"],
    }


def test_a_verb_has_a_schema_if_and_only_if_it_reports_as_json() -> None:
    assert {name.partition(" --")[0] for name in VALUES} == {
        name for name, verb in VERBS.items() if verb_page.has_json(verb)
    }


@pytest.mark.parametrize("name", VALUES)
def test_a_schema_leaves_nothing_open(name: str) -> None:
    document = whole(name, VALUES[name])
    assert document["$schema"] == DIALECT
    Draft202012Validator.check_schema(document)
    for part in parts_of(document):
        assert part.keys() & {"type", "$ref", "anyOf", "oneOf", "const"}, part
        if part.get("type") == "object":
            assert "additionalProperties" in part, part
            assert part["additionalProperties"] is not True, part


@dataclass
class _Inner:
    """An inner one.

    With more to say.
    """

    title: str = "none"


@dataclass
class _Outer:
    inner: list[_Inner] = field(default_factory=list)
    holds: bool | None = field(default=None, metadata=ABSENT)


def _other_of_that_name() -> type:
    @dataclass
    class _Inner:
        """Another one."""

    return _Inner


def test_a_type_is_described_as_it_is_written() -> None:
    described = whole("it", of_type(_Outer))
    assert described["required"] == ["inner"]
    assert described["properties"]["holds"] == {"type": "boolean"}
    assert described["$defs"]["_Inner"] == {
        "description": "An inner one.\n\nWith more to say.",
        "properties": {"title": {"type": "string"}},
        "required": ["title"],
        "type": "object",
        "additionalProperties": False,
    }


def test_two_types_of_one_name_are_not_taken_for_the_same() -> None:
    twice = {"anyOf": [of_type(_Outer), of_type(list[_other_of_that_name()])]}
    with pytest.raises(ValueError, match="_Inner"):
        whole("it", twice)


def test_a_page_that_lost_its_marks_is_named(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- made by: make reference, one -->\nold\n<!-- end -->\nkept\n")
    assert filled(page, {"one": table(["a"], [["|"]])}) == (
        "<!-- made by: make reference, one -->\n| a |\n|---|\n| \\| |\n<!-- end -->\nkept\n"
    )
    with pytest.raises(PageError, match=r"page\.md.*two"):
        filled(page, {"one": "", "two": ""})


def _sources(*folders: str) -> list[str]:
    paths = [
        path
        for folder in folders
        for suffix in ("py", "sql", "yml", "md")
        for path in (PROJECT / folder).rglob(f"*.{suffix}")
    ]
    return [path.read_text() for path in paths if path not in {LISTED, Path(__file__)}]


PRODUCT = ("feature_repo", "models_ml", "orchestration", "serving", "dbt_project")


def test_every_setting_that_is_named_anywhere_is_listed() -> None:
    texts = [*_sources(*PRODUCT, "tests"), (PROJECT / "Makefile").read_text()]
    named = {name for text in texts for name in _NAMED.findall(text)}
    assert named == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_that_is_listed_is_read(setting: Setting) -> None:
    readers = _sources("tests") if setting.is_for_tests else _sources(*PRODUCT)
    assert any(setting.name in _READ.findall(text) for text in readers)


def _fields(schema: dict[str, Any]) -> list[str]:
    return [name for one in schema.values() for name in one["properties"]]


def test_every_path_field_and_code_of_the_endpoint_is_on_its_page() -> None:
    api = make_app(lambda: None).openapi()
    names = re.findall(r"`(?:POST )?(?:[\w\[\]]+\.)*([\w/-]+)`", HTTP)
    wanted = [*api["paths"], *_fields(api["components"]["schemas"]), *CODES.values()]
    reasons = [
        one["properties"]["kind"]["const"]
        for one in api["components"]["schemas"].values()
        if "kind" in one["properties"]
    ]
    assert {*wanted, *reasons} - {*names, "kind"} == set()


def test_no_field_of_the_endpoint_is_left_without_a_word() -> None:
    assert [
        line for line in HTTP.splitlines() if line.startswith("| `") and line.endswith("|  |")
    ] == []


_TYPED = re.compile(r"tastemate(?: --home \S+)? ((?:release )?[a-z]+)\b([^`\n#|&]*)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def test_what_the_pages_let_people_type_is_there() -> None:
    pages_of_people = [PROJECT / "README.md", *(PROJECT / "docs").rglob("*.md")]
    typed = [
        (path.name, name, option)
        for path in pages_of_people
        for name, rest in _TYPED.findall(path.read_text())
        if name in VERBS and name != "build"  # whose further arguments are dbt's
        for option in _OPTION.findall(rest)
    ]
    options = {name: {"--help"}.union(*(one.opts for one in VERBS[name].params)) for name in VERBS}
    assert len(typed) > 30
    assert [one for one in typed if one[2] not in options[one[1]]] == []
