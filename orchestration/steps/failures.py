"""Why a step failed, as a sentence for a person."""

import dagster as dg

from orchestration.home.errors import OURS


def why(event: dg.DagsterEvent) -> str:
    """Say what was wrong in the step that *event*, a step failure, ended."""
    error = event.step_failure_data.error
    if error is None:
        return "it ended without saying why; Dagster's log has the rest: tastemate dev"
    while error.cause is not None:
        error = error.cause
    return sentence(error.message.strip())


def sentence(message: str) -> str:
    """Leave out the class of an error of ours: what it says is all that a person needs."""
    kind, _, said = message.partition(": ")
    return said if kind.partition(".")[0] in OURS else message
