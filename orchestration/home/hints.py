"""Commands that messages give, as they have to be typed for the home at work."""

import re
import shlex
from contextvars import ContextVar
from pathlib import Path

_named: ContextVar[Path | None] = ContextVar("home", default=None)
"""The home as the command line named it; None where it did not."""
_COMMAND = re.compile(r"(?<![\w/.-])tastemate (?=[a-z])")


def name_home(root: Path | None) -> None:
    """Let hints name *root*, as it was typed; None where the home is found without being named."""
    _named.set(root)


def typed(text: str) -> str:
    """Give *text* with the home in every command that it names."""
    root = _named.get()
    return text if root is None else for_home(root, text)


def for_home(root: Path, text: str) -> str:
    """Give *text* with the home *root* in every command that it names."""
    named = f"tastemate --home {shlex.quote(str(root))} "
    return _COMMAND.sub(lambda _: named, text)
