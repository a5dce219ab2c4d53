"""Rules that hold across the folders."""

import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from feature_repo.layout import Layout
from models_ml.data.tokens import MAX_EVENTS
from serving.home import Home
from tests.home_paths import spelled_paths

ROOT = Path(__file__).parents[1]
PACKAGES = ("feature_repo", "models_ml", "orchestration", "serving")
MODELS = ROOT / "dbt_project" / "models"
README = (ROOT / "README.md").read_text()


def contract(stage: str, name: str) -> dict[str, str]:
    description = yaml.safe_load((MODELS / stage / f"{name}.yml").read_text())
    (model,) = description["models"]
    return {column["name"]: column["data_type"] for column in model["columns"]}


def test_the_readme_names_every_folder():
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."}
    folders &= {
        line.split("/")[0]
        for line in subprocess.run(
            ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.splitlines()
    }
    assert {name for name in folders if f"`{name}/`" not in README} == set()


def test_every_command_is_in_the_readme_or_the_docs():
    from orchestration.cli import main

    docs = README + "".join(path.read_text() for path in (ROOT / "docs").rglob("*.md"))
    assert {name for name in main.commands if f"tastemate {name}" not in docs} - {"demo"} == set()


def test_every_link_in_the_docs_leads_somewhere():
    broken = []
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        targets = re.findall(r"\]\(([^)#]+)", page.read_text())
        broken += [
            f"{page.relative_to(ROOT)}: {target}"
            for target in targets
            if "://" not in target and not (page.parent / target).exists()
        ]
    assert broken == []


def test_every_benchmark_can_be_started():
    named = re.findall(r"-m (tests\.bench[.\w]+)", (ROOT / "Makefile").read_text())
    files = (ROOT / "tests" / "bench").rglob("*.py")
    paths = (path.relative_to(ROOT).with_suffix("") for path in files)
    modules = sorted({*named, *(".".join(path.parts) for path in paths)})
    code = f"import importlib\nfor name in {modules}: importlib.import_module(name)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("orchestration.cli", ("torch", "dagster", "feast", "bentoml", "confluent_kafka", "numpy")),
        ("orchestration.definitions", ("torch", "feast", "bentoml", "mlflow", "pandas")),
        ("serving.service", ("torch", "feast", "duckdb", "numpy", "onnxruntime")),
    ],
)
def test_what_starts_loads_nothing_heavy(module: str, heavy: tuple[str, ...]):
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_training_set_keeps_the_types_of_the_features_contract():
    from feature_repo.training import HISTORIES, PLACES

    arrow = {"varchar": pa.string(), "bigint": pa.int64(), "double": pa.float64()}
    favor, place = contract("features", "user_favor"), contract("features", "place")
    in_features = {"place_ids": "event_place_ids"}
    for field in HISTORIES:
        duckdb_type = favor[in_features.get(field.name, field.name)]
        is_list = duckdb_type.endswith("[]")
        expected = arrow[duckdb_type.removesuffix("[]")]
        assert (field.type.value_type if is_list else field.type) == expected, field.name
    assert {name.removeprefix("current_") for name in PLACES.names} <= set(place)


@pytest.mark.parametrize("stage", ["staging", "intermediate", "marts", "features"])
def test_every_model_and_column_is_described(stage: str):
    missing = []
    for path in (MODELS / stage).rglob("*.yml"):
        for model in yaml.safe_load(path.read_text()).get("models", []):
            named = [model, *model.get("columns", [])]
            missing += [
                f"{path.name}: {one['name']}" for one in named if not one.get("description")
            ]
    assert missing == []


def test_no_page_or_source_names_a_path_of_one_machine():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".py", ".md", ".sql", ".yml", ".toml", ".sh"} and path.exists():
            text = path.read_text(errors="replace")
            if str(ROOT) in text or str(Path.home()) + "/" in text:
                found.append(name)
    assert found == []


def modules() -> dict[str, str]:
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in paths}


def test_a_package_has_at_most_one_place_that_locks():
    locking = {
        name
        for name, source in modules().items()
        if re.search(r"^\s*(import|from) (fcntl|filelock)\b", source, re.MULTILINE)
    }
    # Two, since neither of these packages may import the other.
    assert locking == {"feature_repo/files.py", "models_ml/files.py"}


def test_no_other_module_spells_a_path_of_the_home():
    knowing = {"serving/home.py", "feature_repo/layout.py"}
    spelled = [
        f"{name}:{line}"
        for name, source in modules().items()
        if name not in knowing
        for line in spelled_paths(source)
    ]
    assert spelled == []


@pytest.mark.parametrize(
    "spelled",
    [
        'home.state / "model.json"',
        'self._home.root / "champion.json"',
        'Path(home.root) / "champion.json"',
        'home.root.resolve() / stage / f"{name}.parquet"',
        'home_root / "feast" / "online.db"',
        'HomeResource().paths().reports / f"run-{run_id}.json"',
        'home.champion.parent / "champion.log.jsonl"',
        'home.root.joinpath("state", name)',
        'f"{home.lines}/**/*.parquet"',
        'home.models / "index.json"',
        'state = home.state\n    state / "model.json"',
    ],
)
def test_a_spelled_path_of_the_home_is_found(spelled: str):
    last = 2 + spelled.count("\n")
    assert spelled_paths(f"def f(home, home_root):\n    {spelled}\n") == [last]


@pytest.mark.parametrize(
    "other",
    [
        "home.current_model",
        "home.root / entry.path",
        'home.releases / release_id / "card.json"',
        'home.models / f"{hash}-{preset}"',
        'folder / "config.json"',
        "items / 2",
        'f"{home.root}: nothing is built here"',
    ],
)
def test_what_is_no_path_of_the_home_is_not_taken_for_one(other: str):
    assert spelled_paths(f"def f(home, folder):\n    {other}\n") == []


def test_both_who_know_the_home_know_the_same(tmp_path: Path):
    home, layout = Home(tmp_path), Layout(tmp_path)
    assert (home.feast, home.features, home.manifest) == (
        layout.feast,
        layout.features,
        layout.manifest,
    )
    assert home.handed_on("features/place") == layout.rows_of("place")
    assert home.handed_on("marts/fct_events") == layout.events
    assert home.handed_on("marts/feature_moments") == layout.moments


def test_a_history_holds_as_many_events_as_the_network_reads():
    project = yaml.safe_load((ROOT / "dbt_project" / "dbt_project.yml").read_text())
    assert project["vars"]["events_in_favor"] == MAX_EVENTS
