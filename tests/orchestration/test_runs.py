import json
from pathlib import Path

import dagster as dg
import pytest

from models_ml.typed_json import json_text
from orchestration.home.atomic_files import write_atomically
from orchestration.home.lock import alone
from orchestration.runs import _fingerprint, _is_done
from orchestration.steps.home_resource import STARTED_HERE, HomeResource
from serving.home import Home
from tests.made import run_report


def test_another_model_is_something_new(tmp_path: Path) -> None:
    home = Home(tmp_path)
    done = {"fingerprint": _fingerprint(home), "preset": None, "seed": 0}
    write_atomically(home.state / "run.json", json.dumps(done))
    write_atomically(home.report(), json_text(run_report()))
    assert _is_done(home, None, 0)
    # Whoever runs again after a failure wants to know whether all is well now.
    write_atomically(home.report(), json_text(run_report(status="failed")))
    assert not _is_done(home, None, 0)
    write_atomically(home.report(), json_text(run_report()))
    write_atomically(home.state / "model.json", json.dumps({"folder": "adopted"}))
    assert not _is_done(home, None, 0)


@pytest.mark.parametrize(("tags", "succeeds"), [({}, False), (STARTED_HERE, True)])
def test_a_run_of_dagsters_own_is_refused_on_a_home_that_is_worked_on(
    tmp_path: Path, tags: dict[str, str], *, succeeds: bool
) -> None:
    @dg.asset
    def something(home: HomeResource) -> None:
        assert home.paths()

    home = Home(tmp_path)
    with alone(home), dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [something],
            instance=instance,
            resources={"home": HomeResource(root=str(tmp_path))},
            tags=tags,
            raise_on_error=False,
        )
    assert result.success == succeeds
