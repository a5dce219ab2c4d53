import shutil
from pathlib import Path

import numpy as np
import pytest

from feature_repo import lock
from feature_repo.frozen import freeze
from feature_repo.publish import publish
from models_ml.data.training_set import read_training_set
from models_ml.evaluation.ranking import some_people
from models_ml.model_folder import ModelFolder
from models_ml.train import train
from serving import champion
from serving.card import Provenance
from serving.export import export
from serving.home import Home
from serving.pseudonyms import Pseudonyms
from serving.release import Release, pack
from serving.vault import Vault
from tests.serving.city import (
    FORGOTTEN,
    NEW_PLACE,
    PLACES,
    USERS,
    City,
    favor,
    history_of,
    place,
    write_manifest,
    write_training_set,
)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TASTEMATE_ONLINE", "TASTEMATE_HOME", "TASTEMATE_KEYS", "DBT_TARGET_PATH"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def finished_city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """The city, made once; never changed by a test."""
    home = Home(tmp_path_factory.mktemp("city"))
    random = np.random.default_rng(1)
    histories = {user: history_of(number, random) for number, user in enumerate(USERS)}
    places = [
        place(place_id, ("cafe", "bar")[number % 2], f"d{number % 3}")
        for number, place_id in enumerate(PLACES)
    ]
    training_set = home.training_sets / "one"
    write_training_set(training_set, histories, places)
    train(training_set, home.models / "bert", preset="tiny")
    export(ModelFolder(home.models / "bert"), lambda: some_people(read_training_set(training_set)))

    Pseudonyms.create(home.keys)
    favors = {user: favor(user, place_ids) for user, place_ids in histories.items()}
    city = City(home, favors, [*places, place(NEW_PLACE, "bar", "d9")], release=None)  # type: ignore[arg-type]
    vault = Vault.create(home)
    vault.add_many((city.pseudonym(user), user) for user in USERS if user != FORGOTTEN)
    vault.close()
    write_manifest(home)
    city.write()
    locked = home.root / "features.lock.json"
    lock.accept(home.root, locked)
    lock.apply(home.root, locked)
    publish(home.root)
    frozen = home.root / "frozen"
    freeze(home.root, frozen)
    city.release = pack(
        home.models / "bert",
        frozen / "registry.pb",
        frozen / "feature_schema.json",
        home.releases,
        provenance=Provenance(),
    )
    made = city.build_index()
    champion.promote(home, city.release.release_id, made.index_id, "the first")
    return city


@pytest.fixture
def city(finished_city: City, tmp_path: Path) -> City:
    """A copy of the city that a test may change."""
    home = Home(tmp_path / "home")
    shutil.copytree(finished_city.home.root, home.root)
    release = Release(
        finished_city.release.release_id,
        home.releases / finished_city.release.release_id,
        finished_city.release.card,
    )
    favors = {user: dict(row) for user, row in finished_city.favors.items()}
    return City(home, favors, list(finished_city.places), release)
