"""The graph as Dagster sees it."""

from collections.abc import Iterator

import dagster as dg
import pytest

from orchestration import asset_keys
from orchestration.definitions import build_definitions
from orchestration.home.environment import enter, exports
from orchestration.jobs import LAND, REFRESH
from serving.home import Home


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.Definitions]:
    """Make the definitions of an empty home, and leave the environment as it was."""
    home = Home(tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in exports(home).items():
            patch.setenv(name, value)
        enter(home)
        yield build_definitions(home)


def test_every_asset_that_has_a_key_is_made_by_a_run(definitions: dg.Definitions) -> None:
    named = {key for key in vars(asset_keys).values() if isinstance(key, dg.AssetKey)}
    jobs = [definitions.resolve_job_def(name) for name in (LAND, REFRESH)]
    made = {key for job in jobs for key in job.asset_layer.executable_asset_keys}
    assert named <= made


def test_the_intermediate_models_keep_the_keys_and_the_group_of_staging(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    groups = {
        key.to_user_string(): graph.get(key).group_name
        for key in graph.get_all_asset_keys()
        if key.path[-1].startswith("int_")
    }
    assert groups == {
        "staging/int_favors_touched": "staging",
        "staging/int_keys_touched": "staging",
        "staging/int_lines_judged": "staging",
    }


def test_the_nightly_run_and_the_report_of_failures_are_on_by_themselves(
    definitions: dg.Definitions,
) -> None:
    schedule = definitions.resolve_schedule_def("every_night")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert schedule.cron_schedule == "0 3 * * *"
    sensors = {sensor.name: sensor.default_status for sensor in definitions.sensors or ()}
    on = dg.DefaultSensorStatus.RUNNING
    assert sensors == {"report_failed_run": on, "dead_runs": on}


def test_a_gate_that_fails_stops_what_comes_after_it(definitions: dg.Definitions) -> None:
    specs = definitions.resolve_asset_graph().get_check_spec
    assert specs(dg.AssetCheckKey(asset_keys.ONLINE_FEATURES, "online_equals_offline")).blocking
