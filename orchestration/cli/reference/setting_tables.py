"""The tables of settings, on their page and in the README."""

from orchestration.cli.reference.markdown import table
from orchestration.home.settings import SETTINGS, Setting


def of_readme() -> dict[str, str]:
    """Make the README's table: the settings of those who use the project."""
    return {"settings": _table([one for one in SETTINGS if not one.is_for_tests])}


def of_page() -> dict[str, str]:
    """Make the tables of `docs/reference/settings.md`."""
    return {
        "settings": _table([one for one in SETTINGS if not one.is_for_tests]),
        "tests": _table([one for one in SETTINGS if one.is_for_tests]),
    }


def _table(settings: list[Setting]) -> str:
    rows = ((f"`{one.name}`", one.what, one.default) for one in settings)
    return table(["variable", "what", "default"], rows)
