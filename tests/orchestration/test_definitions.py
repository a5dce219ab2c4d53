"""The graph as Dagster sees it."""

from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter

import dagster as dg
import pytest

from orchestration import asset_keys
from orchestration.definitions import build_definitions
from orchestration.home.environment import enter, exports
from orchestration.steps.job_names import LAND, REFRESH
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


@pytest.fixture(scope="module")
def groups(definitions: dg.Definitions) -> dict[dg.AssetKey, str]:
    graph = definitions.resolve_asset_graph()
    return {key: graph.get(key).group_name for key in graph.get_all_asset_keys()}


def test_a_key_begins_with_its_group(groups: dict[dg.AssetKey, str]) -> None:
    assert {key: key.path[0] for key in groups} == groups


def test_the_groups_form_no_loop(
    definitions: dg.Definitions, groups: dict[dg.AssetKey, str]
) -> None:
    graph = definitions.resolve_asset_graph()
    read = {key: graph.get(key).parent_keys for key in groups}
    for key in graph.asset_check_keys:
        # What a check compares its asset with is an edge in Dagster's picture, too.
        read[key.asset_key] |= {dep.asset_key for dep in graph.get_check_spec(key).additional_deps}
    before = {group: {groups[other] for key in groups if groups[key] == group
                      for other in read[key]} - {group} for group in groups.values()}  # fmt: skip
    in_order = list(TopologicalSorter(before).static_order())
    assert in_order == [
        "raw", "staging", "marts", "features", "online", "model", "release", "delivery",
    ]  # fmt: skip


def test_every_check_says_what_it_claims(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    said = {key: graph.get_check_spec(key).description for key in graph.asset_check_keys}
    assert [key.name for key, description in said.items() if not description] == []
    assert [text for text, times in Counter(said.values()).items() if times > 1] == []
    stated = {key.name: description for key, description in said.items()}
    assert stated["not_null_stg_sample__likes_line_status"] == (
        "line_status of stg_sample__likes is never empty."
    )
    assert stated["assert_no_line_is_lost"].startswith("Of every landed file")


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
