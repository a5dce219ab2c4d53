"""Why a step failed, as a sentence for a person."""

import dagster as dg

from orchestration.home.errors import OURS
from orchestration.home.machine_faults import words_in
from serving.home import Home


def why(event: dg.DagsterEvent, home: Home) -> str:
    """Say what was wrong in the step on *home* that *event*, a step failure, ended."""
    error = event.step_failure_data.error
    if error is None:
        return "it ended without saying why; Dagster's log has the rest: tastemate dev"
    while error.cause is not None:
        error = error.cause
    return words_in(error.message, home) or sentence(error.message.strip())


def sentence(message: str) -> str:
    """Leave out the class of an error of ours: what it says is all that a person needs."""
    kind, _, said = message.partition(": ")
    return said if kind.partition(".")[0] in OURS else message
