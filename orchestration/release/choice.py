"""Which model becomes a release, and which release is live."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models_ml.gate import CHAMPION
from orchestration.home.atomic_files import read_json, write_atomically
from orchestration.home.errors import RefusedError
from orchestration.model import store as model_store
from orchestration.steps.lines import say
from serving import champion, index
from serving.home import Home, now
from serving.release import Release, ReleaseError, open_release, pack, verify

PAGE = "card.html"


@dataclass(frozen=True)
class Choice:
    """What is to go live, and why: a folder to pack, or the release that stays."""

    reason: str
    folder: Path | None = None
    stays: str | None = None


def choose(home: Home) -> Choice:
    """Choose the model if it passed the gate, else what is live, else the best baseline.

    A baseline that is live is counted anew where that is no worse, so that it does not age while
    one model after the other is refused. A release that was promoted by hand stays until another
    model has been trained.
    """
    folder = model_store.current_model(home)
    held = read_json(_held(home))
    if held and held["model"] == _latest_model(home):
        return Choice(
            "promoted by hand, and no other model has been trained since",
            stays=held["release_id"],
        )
    found = json.loads((folder / "evaluation.json").read_text())
    if "refusals" not in found:
        raise ReleaseError(
            f"{folder / 'evaluation.json'}: an earlier version wrote it, and it does not say all "
            "that the gate asks. Evaluate again: tastemate evaluate"
        )
    best = found["best_baseline"]
    ours = _ndcg(found, "model")
    margin = found["model_minus"]["time"][best]["interval"]
    compared = (
        f"NDCG@10 {ours:.4f} on the last tenth of events, {best} {_ndcg(found, best):.4f} "
        f"(difference {margin['low']:+.4f} to {margin['high']:+.4f} with 95 % confidence)"
    )
    if found["passes"]:
        return Choice(f"passes the gate: {compared}", folder=folder)
    refused = f"the new model is refused: {'; '.join(found['refusals'])}"
    if not home.champion.exists():
        return Choice(refused, folder=_baseline_folder(home, best))
    live = champion.read(home).release_id
    if not _has_aged(home, live, found):
        return Choice(refused, stays=live)
    return Choice(
        f"{refused}; {best}, counted anew, is no worse than the baseline that was live",
        folder=_baseline_folder(home, best),
    )


def _has_aged(home: Home, live: str, evaluation: dict[str, Any]) -> bool:
    """Tell whether *live* is a baseline, counted on other events, that a new one may replace."""
    release = open_release(home.releases / live)
    of_model = read_json(model_store.current_model(home) / "config.json")
    if (
        release.kind == "model"
        or release.card["training_set_hash"] == of_model["training_set_hash"]
    ):
        return False
    # One of an earlier version cannot be asked any more.
    asked = evaluation["time"].get(CHAMPION)
    return not asked or _ndcg(evaluation, evaluation["best_baseline"]) >= asked["ndcg_10"]


def pack_release(home: Home, chosen: Choice) -> Release:
    """Pack what was chosen together with its frozen registry; what stays is opened as it is."""
    if chosen.stays is not None:
        return open_release(home.releases / chosen.stays)
    if chosen.folder is None:
        raise ReleaseError(
            f"{home.models}: nothing was chosen to be released. Train: tastemate train"
        )
    from feature_repo.frozen import freeze

    model = model_store.current_model(home)
    training_set = model_store.training_set_of(home, model)
    manifest = training_set.manifest
    found = read_json(model / "evaluation.json")
    card = {
        "reason": chosen.reason,
        "metrics": {split: found[split] for split in ("time", "loo")},
        "training": model_store.training_facts(chosen.folder),
        "export": export_model(chosen.folder, training_set.folder),
        "training_set_hash": manifest["hash"],
        "as_of": manifest["as_of"],
    }
    with tempfile.TemporaryDirectory(prefix="tastemate-registry-") as draft:
        freeze(home.root, Path(draft))
        registry, schema = Path(draft) / "registry.pb", Path(draft) / "feature_schema.json"
        packed = pack(chosen.folder, registry, schema, home.releases, card)
    write_atomically(packed.folder / PAGE, _page(packed, chosen, found))
    return packed


def export_model(model: Path, training_set: Path) -> dict[str, Any] | None:
    """Export the network of *model* for serving, checked on people of *training_set*.

    Returns what `serving.export.Export` says; nothing where there is no network to export.
    """
    from models_ml.asking import some_people
    from models_ml.training_set import read_training_set
    from serving.export import export

    made = export(model, lambda: some_people(read_training_set(training_set)))
    if made and made.refusal:
        say(f"torch will run the network, for {made.refusal}")
    return vars(made) if made else None


def _page(packed: Release, chosen: Choice, evaluation: dict[str, Any]) -> str:
    """Show how good the release is, on the questions that decided on it."""
    from orchestration.model.charts import is_ours
    from orchestration.release.model_card import quality_page

    training = read_json(chosen.folder / "training.json") if chosen.folder else None
    notes = [
        f"Kind: {packed.kind}, {packed.card['name']}. Made {packed.card['created_at']}.",
        f"Why it was chosen: {chosen.reason}",
    ]
    if packed.kind == "model":
        notes.append(f"Its network is run by {_runner(packed)}.")
    if packed.kind == "baseline":
        notes.append("The model of the tables below was refused; what is released is a baseline.")
    return quality_page(
        f"Release {packed.release_id}", evaluation, {"model": training} if training else {},
        notes=notes,
        is_marked=is_ours if packed.kind == "model" else packed.card["name"].__eq__,
    )  # fmt: skip


def _runner(packed: Release) -> str:
    told = packed.card.get("export") or {"refusal": "it was packed before there were exports"}
    if packed.is_exported:
        return (
            f"ONNX Runtime; log-scores differ by {told['largest_difference']:.1g} at most from "
            "torch's"
        )
    return f"torch, for {told['refusal']}"


def build_index(home: Home, release: Release, progress: Any = lambda _: None) -> index.Index:
    """Embed everybody who agreed to be shown with *release*."""
    from serving.exported import open_recommender
    from serving.histories import discoverable

    known = frozenset(open_recommender(release.folder).places.place_ids)
    as_of = now()
    people = discoverable(
        home.features / "user_favor.parquet", home.features / "place.parquet", known, as_of
    )
    return index.build(release.folder, people, home.indexes, as_of, progress)


def remember_candidate(home: Home, release_id: str, reason: str) -> None:
    """Keep which release the run has made, until it is promoted."""
    candidate = {"release_id": release_id, "reason": reason}
    write_atomically(home.state / "candidate.json", json.dumps(candidate))


def candidate(home: Home) -> tuple[Release, str]:
    """Open the release that the run has made; why it was chosen comes with it."""
    kept = read_json(home.state / "candidate.json")
    if kept is None:
        raise ReleaseError(f"{home.releases}: no release has been made yet. Run: tastemate run")
    return open_release(home.releases / kept["release_id"]), kept["reason"]


def promote(home: Home, release_id: str, reason: str) -> champion.Champion:
    """Make a release live by hand, with its newest index; runs keep it until a new model is there.

    Raises:
        RefusedError: its content is not what its name says, or it has no index.
        ReleaseError: there is no such release.
    """
    known = sorted(path.name for path in home.releases.glob("*") if path.is_dir())
    if release_id not in known:
        raise ReleaseError(
            f"{home.releases}: there is no release {release_id}. Those that are there: "
            f"{', '.join(known) or 'none; make one: tastemate run'}."
        )
    try:
        verify(home.releases / release_id)
        newest = index.newest(home.indexes, release_id)
    except (ReleaseError, index.IndexFaultError) as error:
        raise RefusedError(str(error)) from None
    live = champion.promote(home, release_id, newest.index_id, reason)
    held = {"release_id": release_id, "model": _latest_model(home)}
    write_atomically(_held(home), json.dumps(held))
    return live


def roll_back(home: Home, reason: str) -> champion.Champion:
    """Make live what was live before, as `promote` does; once more, and it is undone.

    Raises:
        RefusedError: nothing else was live before, or it may not be live again.
    """
    now_live = champion.read(home).release_id
    before = [entry.release_id for entry in champion.log(home) if entry.release_id != now_live]
    if not before:
        raise RefusedError(f"{now_live} is the only release that has been live in {home.root}.")
    return promote(home, before[-1], reason)


def _held(home: Home) -> Path:
    return home.state / "held.json"


def _latest_model(home: Home) -> Any:
    _, model = model_store.pointers(home)
    return read_json(model)


def list_releases(home: Home) -> list[dict[str, Any]]:
    """List id, kind, time and reason of the home's releases, newest first."""
    live = champion.read(home).release_id if home.champion.exists() else None
    found = [open_release(card.parent) for card in home.releases.glob("[!.]*/card.json")]
    entries = [
        {
            "release_id": release.release_id,
            "kind": release.kind,
            "created_at": release.card["created_at"],
            "reason": release.card.get("reason", ""),
            "is_champion": release.release_id == live,
        }
        for release in found
    ]
    return sorted(entries, key=lambda entry: str(entry["created_at"]), reverse=True)


def _baseline_folder(home: Home, name: str) -> Path:
    """Write the baseline *name*, fitted to what the model learned from, as a model folder."""
    from models_ml.baselines import fit_baselines
    from models_ml.training_set import read_training_set

    training_set = model_store.training_set_of(home, model_store.current_model(home))
    fitted = fit_baselines(read_training_set(training_set.folder))
    folder = home.models / f"{training_set.folder.name}-{name}"
    next(one for one in fitted if one.name == name).save(folder, training_set.hash)
    return folder


def _ndcg(evaluation: dict[str, Any], name: str) -> float:
    return float(evaluation["time"][name]["ndcg_10"])
