"""Files that people write to describe something: YAML, and errors that name the field."""

import re
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Described = TypeVar("Described", bound=BaseModel)
_SECRET = re.compile("password|secret|key|token")


def read_described(
    path: Path, model: type[Described], failure: type[Exception], *, called: str, hint: str
) -> Described:
    """Read the file at *path*, which is *called* so, as a *model*.

    Raises:
        Exception: a *failure* that says which field is wrong and what would be right, or,
            where there is nothing to read, gives the *hint*.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise failure(f"{path}: there is no such {called}. {hint}") from None
    except (yaml.YAMLError, UnicodeDecodeError, IsADirectoryError) as error:
        raise failure(f"{path}: this is no YAML: {error}. {hint}") from None
    if not isinstance(content, dict):
        raise failure(f"{path}: the file holds {content!r}, not named fields. {hint}")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        said = [f"{path}: {_sentence(problem, called)}" for problem in error.errors()]
        raise failure("\n".join(said)) from None


def _sentence(problem: ErrorDetails, called: str) -> str:
    field = ".".join(str(part) for part in problem["loc"]) or f"the {called}"
    value = "not shown here" if _SECRET.search(field) else repr(problem["input"])
    match problem["type"]:
        case "missing":
            return f"{field} is missing; it is needed."
        case "extra_forbidden":
            return f"{field} is no field of a {called} (its value is {value}). Remove it."
        case "value_error":
            return f"{field}: {problem['ctx']['error']}."
        case "string_pattern_mismatch":
            return (
                f"{field} is {value}; it must be lower-case letters, digits and _, "
                "beginning with a letter, such as my_reviews."
            )
        case _:
            return f"{field} is {value}. {problem['msg']}."
