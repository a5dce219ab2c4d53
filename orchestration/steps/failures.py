"""Why a step failed, as a sentence for a person."""

import re

import dagster as dg

from orchestration.home.errors import OURS
from orchestration.home.machine_faults import killed, words_in
from serving.home import Home

_COLOUR = re.compile(r"\x1b\[\d+m")
_PROGRESS = re.compile(r"\d+ of \d+ ")
_CRASHED = re.compile(
    r"child process for step \S+ (?:was terminated by signal (\d+)|unexpectedly exited).*"
)


def why(event: dg.DagsterEvent, home: Home) -> str:
    """Say what was wrong in the step on *home* that *event*, a step failure, ended."""
    error = event.step_failure_data.error
    if error is None:
        return "it ended without saying why; Dagster's log has the rest: tastemate dev"
    while error.cause is not None:
        error = error.cause
    return (
        words_in(error.message, home) or _of_dbt(error.message) or sentence(error.message.strip())
    )


def _of_dbt(message: str) -> str | None:
    """Leave of dagster-dbt's message what dbt itself says of a model or a test that failed."""
    _, found, errors = _COLOUR.sub("", message).partition("Errors parsed from dbt logs:")
    said = [line.strip() for line in errors.splitlines()]
    told = [line for line in said if line and not _PROGRESS.match(line)]
    return f"dbt: {'; '.join(told)}" if found and told else None


def crash(event: dg.DagsterEvent, home: Home) -> str | None:
    """Say how the process of a step ended, if *event* tells that it ended without a word.

    Dagster tells it apart from the failure of the step, which comes next and says nothing.
    """
    found = _CRASHED.search(event.message or "") if event.is_engine_event else None
    if not found:
        return None
    return killed("the process of this step", home) if found[1] == "9" else found[0]


def sentence(message: str) -> str:
    """Leave out the class of an error of ours: what it says is all that a person needs."""
    kind, _, said = message.partition(": ")
    return said if kind.partition(".")[0] in OURS else message
