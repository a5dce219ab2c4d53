from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.model.retraining.policy import POLICY_FILE, PolicyError, load_policy, policy_file
from serving.home import Home


def written(folder: Path, part: str, **changes: Any) -> Path:
    """The project's own policy with changes to one of its parts; None takes a field away."""
    told = yaml.safe_load(POLICY_FILE.read_text())
    told[part] = {
        name: value for name, value in (told[part] | changes).items() if value is not None
    }
    path = folder / "retraining.yml"
    path.write_text(yaml.safe_dump(told))
    return path


def test_the_projects_own_policy_holds_unless_the_home_has_one(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert policy_file(home) == POLICY_FILE
    own = written(tmp_path, "retrain", age_days=7)
    assert policy_file(home) == own
    assert load_policy(own).retrain.age_days == 7
    assert load_policy(own).from_scratch == load_policy(POLICY_FILE).from_scratch


@pytest.mark.parametrize(
    ("part", "changes", "said"),
    [
        ("retrain", {"drift": 2}, r"retrain\.drift is 2\..*less than or equal to 1"),
        ("retrain", {"age_days": 0}, r"retrain\.age_days is 0\..*greater than 0"),
        ("retrain", {"age_days": None}, r"retrain\.age_days is missing"),
        ("retrain", {"mood": 1}, r"retrain\.mood is no field of a policy of retraining"),
        ("from_scratch", {"every": "often"}, r"from_scratch\.every is 'often'"),
        ("from_scratch", {"new_places": -1}, r"from_scratch\.new_places is -1"),
    ],
)
def test_a_field_that_is_wrong_is_named(
    tmp_path: Path, part: str, changes: dict[str, Any], said: str
) -> None:
    path = written(tmp_path, part, **changes)
    with pytest.raises(PolicyError, match=said):
        load_policy(path)


@pytest.mark.parametrize("text", ["", "retrain: [", "- 1"])
def test_what_is_no_policy_says_where_its_form_stands(tmp_path: Path, text: str) -> None:
    path = tmp_path / "retraining.yml"
    path.write_text(text)
    with pytest.raises(PolicyError, match=r"docs/how-to/retrain\.md"):
        load_policy(path)
