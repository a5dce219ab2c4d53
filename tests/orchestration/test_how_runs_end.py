import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
import dagster as dg
import pytest
from click.testing import CliRunner
from dagster._core.errors import DagsterExecutionInterruptedError

from orchestration.cli.main import Group
from orchestration.runs import _execute
from orchestration.steps.failures import sentence, why
from orchestration.steps.interrupts import heard_interrupts
from orchestration.steps.lines import step_lines
from orchestration.steps.resource_usage import measured
from serving.home import Home


@pytest.fixture(autouse=True)
def _heard() -> Iterator[None]:
    """As whatever runs a job does; tests that a shell started in the background ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with heard_interrupts():
        yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_in_a_step_stops_the_run_and_is_no_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @dg.op
    def long_step() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)

    @dg.job(logger_defs={"steps": step_lines})
    def work() -> None:
        long_step()

    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(KeyboardInterrupt):
        _execute(work, instance)
    assert "failed" not in capsys.readouterr().err


def test_an_error_that_came_of_ctrl_c_is_not_tried_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tries = []

    @dg.op(retry_policy=dg.RetryPolicy(max_retries=1))
    def step() -> None:
        tries.append(1)
        with measured():
            try:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(60)
            except DagsterExecutionInterruptedError:
                raise OSError("the child process died") from None

    @dg.job(logger_defs={"steps": step_lines})
    def work() -> None:
        step()

    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(KeyboardInterrupt):
        _execute(work, instance)
    assert len(tries) == 1
    assert "failed" not in capsys.readouterr().err


class _EndsTheStep(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "dagster_meta", {}).get("dagster_event")
        if event is not None and event.event_type_value == "STEP_SUCCESS":
            os.kill(os.getpid(), signal.SIGINT)


def test_after_a_step_that_swallowed_ctrl_c_no_other_begins() -> None:
    done = []

    def named(name: str) -> dg.OpDefinition:
        @dg.op(name=name, ins={"before": dg.In(dg.Nothing)})
        def step() -> None:
            with measured():
                with suppress(DagsterExecutionInterruptedError):
                    os.kill(os.getpid(), signal.SIGINT)
                    time.sleep(60)
                done.append(name)

        return step

    @dg.job(logger_defs={"steps": step_lines})
    def work() -> None:
        named("second")(named("first")())

    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(KeyboardInterrupt):
        _execute(work, instance)
    assert done == ["first"]


def test_ctrl_c_after_the_last_step_is_not_lost() -> None:
    @dg.logger
    def at_the_end(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.getLogger("at_the_end")
        logger.setLevel(logging.DEBUG)
        logger.handlers = [_EndsTheStep()]
        return logger

    @dg.op
    def step() -> None:
        pass

    @dg.job(logger_defs={"steps": at_the_end})
    def work() -> None:
        step()

    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(KeyboardInterrupt):
        _execute(work, instance)


def test_ctrl_c_that_is_swallowed_before_a_job_ends_the_run() -> None:
    ran = []

    @dg.op
    def step() -> None:
        ran.append(1)

    @dg.job
    def work() -> None:
        step()

    with suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(KeyboardInterrupt):
        _execute(work, instance)
    assert not ran


def test_a_stopped_command_says_that_it_can_go_on() -> None:
    @click.group(cls=Group)
    def program() -> None:
        pass

    @program.command()
    def verb() -> None:
        raise KeyboardInterrupt

    ended = CliRunner().invoke(program, ["verb"])
    assert ended.exit_code == 130
    assert "the same command goes on" in ended.output


def test_an_error_of_ours_is_told_without_its_class() -> None:
    ours = "orchestration.landing.errors.MappingError: a.csv: no column 'membr'"
    assert sentence(ours) == "a.csv: no column 'membr'"
    assert sentence("ValueError: no") == "ValueError: no"


DBT_SAID = """dagster_dbt.errors.DagsterDbtCliRuntimeError: The dbt CLI process with command

`dbt build`

failed with exit code `1`. Check the stdout in the Dagster compute logs for the full information.

Errors parsed from dbt logs:

36 of 62 FAIL 1 assert_no_line_is_lost ........ [\x1b[31mFAIL 1\x1b[0m in 0.04s]

\x1b[31mFailure in test assert_no_line_is_lost (tests/assert_no_line_is_lost.sql)\x1b[0m

  Got 1 result, configured to fail if != 0
"""


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (DBT_SAID, "dbt: Failure in test assert_no_line_is_lost (tests/assert_no_line_is_lost"),
        ("Command '['dbt', '--version']' died with <Signals.SIGKILL: 9>.",
         "/h: dbt was killed, probably for want of memory."),
        ("The dbt CLI process failed with exit code `-9`.",
         "/h: dbt was killed, probably for want of memory."),
    ],
)  # fmt: skip
def test_of_dbts_failure_a_person_is_told_what_dbt_says(error: str, told: str) -> None:
    @dg.op
    def elt() -> None:
        raise RuntimeError(error)

    @dg.job
    def work() -> None:
        elt()

    with dg.DagsterInstance.ephemeral() as instance:
        run = work.execute_in_process(instance=instance, raise_on_error=False)
    (failure,) = [one for one in run.all_events if one.event_type_value == "STEP_FAILURE"]
    assert why(failure, Home(Path("/h"))).removeprefix("RuntimeError: ").startswith(told)
