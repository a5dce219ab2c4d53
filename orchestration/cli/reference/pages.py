"""What is made from the code, and where it lies: whole pages, parts of pages, and schemas."""

from pathlib import Path

from orchestration.cli.reference import http_parts, setting_tables, verb_page
from orchestration.cli.reference.markdown import filled
from orchestration.cli.reference.values import VALUES, file_name, schema_text
from orchestration.home.environment import PROJECT
from orchestration.warehouse import data_dictionary

REFERENCE = PROJECT / "docs" / "reference"
SCHEMAS = REFERENCE / "json"


def made() -> dict[Path, str]:
    """Give every file that follows from the code, by path, as it is to be."""
    readme, settings, http = PROJECT / "README.md", REFERENCE / "settings.md", REFERENCE / "http.md"
    return {
        data_dictionary.PAGE: data_dictionary.as_markdown(),
        REFERENCE / "cli.md": verb_page.as_markdown(),
        readme: filled(readme, setting_tables.of_readme()),
        settings: filled(settings, setting_tables.of_page()),
        http: filled(http, http_parts.parts()),
        **{SCHEMAS / file_name(name): schema_text(name) for name in VALUES},
    }
