"""What every verb does alike: enter its home, print as it is asked to, end with an exit code."""

import functools
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec

import click

from models_ml.typed_json import plain
from orchestration.home.hints import typed
from serving.home import Home

FAILED, REFUSED = 1, 3
STOPPED = 130  # as shells report SIGINT
PORT = click.IntRange(0, 65_535)

_P = ParamSpec("_P")


@dataclass(frozen=True)
class Report:
    """What a verb found.

    value    what `--json` prints; its schema is in `docs/reference/json/`
    words    the same for a person
    is_well  whether all is as it should be; if not, the verb ends with exit code 1
    refusal  what a gate says against it; if anything, the verb ends with exit code 3
    """

    value: object
    words: str
    is_well: bool = True
    refusal: str = ""


def reports(verb: Callable[_P, Report]) -> Callable[..., None]:
    """Give a verb that returns a `Report` its `--json`, its printing and its exit code."""

    @click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
    @functools.wraps(verb)
    def told(*arguments: _P.args, **options: _P.kwargs) -> None:
        as_json = options.pop("as_json")
        report = verb(*arguments, **options)
        text = printed_json(report.value) if as_json else typed(report.words)
        if text:
            click.echo(text)
        if report.refusal:
            from orchestration.home.errors import RefusedError

            raise RefusedError(report.refusal)
        sys.exit(0 if report.is_well else FAILED)

    return told


def printed_json(value: object) -> str:
    """Write dataclasses, paths and moments, and lists of them, as JSON.

    What JSON has no word for is told as near as it can be: a number that is none is null, and
    bytes that are no text are hexadecimal.
    """
    from pydantic_core import to_jsonable_python

    try:
        told = to_jsonable_python(plain(value), inf_nan_mode="null")
    except UnicodeDecodeError:
        told = to_jsonable_python(plain(value), inf_nan_mode="null", bytes_mode="hex")
    return json.dumps(told, indent=2, allow_nan=False)


@contextmanager
def at_work(home: Home) -> Iterator[None]:
    """Hold the home, so that nobody else works on it meanwhile.

    Raises:
        BusyError: a run is working on it.
    """
    from orchestration.home.dagster_records import is_under_way
    from orchestration.home.lock import alone

    with alone(home):
        if is_under_way(home) is not False:
            from orchestration.runs import make_way

            make_way(home)
        yield


def enter(home: Home) -> None:
    """Make *home* ready, and this process work in it without the noise of libraries."""
    from orchestration.home import environment
    from orchestration.home.quiet import hush

    environment.enter(home)
    hush()
