"""Looks whether everything that a home needs is there and sound."""

import shutil
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from orchestration.home.dagster_records import is_under_way
from orchestration.home.environment import PROJECT
from orchestration.home.errors import is_for_people
from serving.home import Home

if TYPE_CHECKING:
    from collections.abc import Callable

ENOUGH_GB = 5


@dataclass(frozen=True)
class Finding:
    """What was looked at, whether it is well, and what to do if not."""

    what: str
    ok: bool
    detail: str


def examine(home: Home) -> list[Finding]:
    """Look at the installation, the home and the services it is set to use."""
    looks: dict[str, Callable[[Home], tuple[bool, str]]] = {
        "packages": _packages,
        "disk": _disk,
        "sources": _sources,
        "dbt project and feature lock": _features,
        "online store": _online,
        "published to": _published_to,
        "as published": _as_published,
        "policy of retraining": _policy,
        "runs": _runs,
        "what is live": _live,
    }
    findings = []
    for what, look in looks.items():
        try:
            ok, detail = look(home)
        except Exception as error:
            if not is_for_people(error):
                raise
            ok, detail = False, str(error)
        findings.append(Finding(what, ok, detail))
    return findings


def _packages(_: Home) -> tuple[bool, str]:
    """Compare what is installed with the lock file."""
    wrong = []
    pinned = [
        line.split()[0].partition("==")
        for line in (PROJECT / "requirements.lock").read_text().splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    ]
    for name, _equals, version in pinned:
        try:
            installed = metadata.version(name.partition("[")[0]).partition("+")[0]
        except metadata.PackageNotFoundError:
            installed = "missing"
        if installed != version.partition("+")[0].rstrip(";"):
            wrong.append(f"{name} is {installed}, locked is {version}")
    return not wrong, "; ".join(wrong) or f"{len(pinned)} as locked"


def _disk(home: Home) -> tuple[bool, str]:
    free = shutil.disk_usage(home.root).free / 1e9
    return free > ENOUGH_GB, f"{free:.0f} GB free under {home.root}"


def _sources(home: Home) -> tuple[bool, str]:
    from orchestration.home.sources import registered

    known = registered(home)
    if not known:
        return True, "none yet; name one: tastemate run --source sample"
    gone = [entry.path for entry in known if not (home.root / entry.path).exists()]
    return not gone, f"{len(known)} known" + (f"; gone: {', '.join(gone)}" if gone else "")


def _features(home: Home) -> tuple[bool, str]:
    from feature_repo import lock
    from orchestration.warehouse.dbt_command import ensure_manifest

    ensure_manifest(home)
    differences = lock.plan(home.root)
    return not differences, "; ".join(differences) or "they agree"


def _online(home: Home) -> tuple[bool, str]:
    from feature_repo.still_online import answering

    return True, answering(home.root)


def _published_to(home: Home) -> tuple[bool, str]:
    from feature_repo.known_stores import known_stores

    stores = [store.identity for store in known_stores(home.root)]
    return True, ", ".join(stores) or "no online store yet"


def _as_published(home: Home) -> tuple[bool, str]:
    from orchestration.delivery.as_published import differences
    from orchestration.home.state_files import Pointers

    if Pointers(home).last_run.read() is None:
        return True, "nothing was published yet"
    found = differences(home)
    if not found:
        return True, "marts, features, online store and index are what the last run published"
    return False, "; ".join(found) + ". Bring it in order: tastemate run"


def _policy(home: Home) -> tuple[bool, str]:
    from orchestration.model.retraining.policy import load_policy, policy_file

    load_policy(policy_file(home))
    return True, "the home's own" if home.retraining.exists() else "the project's"


def _runs(home: Home) -> tuple[bool, str]:
    well = True, "none that died is recorded as under way"
    if is_under_way(home) is False:
        return well
    from orchestration.runs import dead_runs

    dead = dead_runs(home)
    if not dead:
        return well
    return False, (
        f"{'; '.join(map(str, dead))} Dagster still counts it as under way. tastemate dev ends it "
        "within a minute, and so does the next run, train, evaluate or ingest"
    )


def _live(home: Home) -> tuple[bool, str]:
    from serving import champion, index
    from serving.release import verify

    if not home.champion.exists():
        return True, "nothing yet; run the main job: tastemate run"
    live = champion.read(home)
    found = verify(home.releases / live.release_id)
    users = len(index.open_index(home.indexes / live.index_id))
    return True, f"release {live.release_id} ({found.kind}), {users:,} people in its index"
