"""What a verb told as JSON, held against its schema in the reference."""

import json
import subprocess
from typing import Any, NoReturn

from jsonschema import Draft202012Validator

from orchestration.cli.reference.pages import SCHEMAS
from orchestration.cli.reference.values import file_name


def reported(verb: str, done: subprocess.CompletedProcess[str], code: int = 0) -> Any:
    """Give what *verb* told as JSON, with the exit code that was to be."""
    assert done.returncode == code, done.stderr[-4000:]

    def no_json(word: str) -> NoReturn:
        raise AssertionError(f"{word} is no JSON")

    value = json.loads(done.stdout, parse_constant=no_json)
    schema = json.loads((SCHEMAS / file_name(verb)).read_text())
    Draft202012Validator(schema).validate(value)
    return value
