"""From an evaluated model to what is live: release, index, bento, champion."""

import dagster as dg
import numpy as np

from orchestration import asset_keys as keys
from orchestration.measure import measured
from orchestration.progress import say
from orchestration.resources import HomeResource
from serving import bento as bentos
from serving import champion as champions
from serving.release import verify


@dg.asset(
    key=keys.RELEASE,
    group_name="release",
    deps=[keys.EVALUATION, keys.REGISTRY],
    check_specs=[
        dg.AssetCheckSpec(
            "content_matches_its_name",
            asset=keys.RELEASE,
            description="The release's files hash to its name, and were not touched since.",
        )
    ],
)
def release(home: HomeResource) -> dg.MaterializeResult:
    """Everything that decides an answer, except the people: named by its content."""
    from orchestration import releasing

    paths = home.paths()
    with measured() as cost:
        chosen = releasing.choose(paths)
        packed = releasing.pack_release(paths, chosen)
        verify(packed.folder)  # raises where a file has changed
    releasing.remember_candidate(paths, packed.release_id, chosen.reason)
    say(f"{packed.kind} {packed.release_id}: {chosen.reason}")
    return dg.MaterializeResult(
        metadata={
            "release_id": packed.release_id,
            "kind": packed.kind,
            "reason": chosen.reason,
            "bytes": sum(file.stat().st_size for file in packed.folder.iterdir()),
            **cost.metadata(),
        },
        check_results=[dg.AssetCheckResult(passed=True)],
    )


@dg.asset(
    key=keys.INDEX,
    group_name="release",
    deps=[keys.RELEASE, keys.USER_FAVOR, keys.PLACE],
    kinds={"faiss"},
)
def index(home: HomeResource) -> dg.MaterializeResult:
    """The vectors of everybody who agreed to be shown."""
    from orchestration import releasing
    from orchestration.neighbours import exposure

    paths = home.paths()
    chosen, _ = releasing.candidate(paths)
    with measured() as cost:
        made = releasing.build_index(paths, chosen)
        shown = exposure(np.asarray(made.vectors))
    size = sum(file.stat().st_size for file in made.folder.iterdir())
    return dg.MaterializeResult(
        metadata={
            "index_id": made.index_id,
            "dagster/row_count": len(made),
            "bytes": size,
            **({f"exposure/{name}": value for name, value in vars(shown).items()} if shown else {}),
            **cost.metadata(),
        }
    )


@dg.asset(key=keys.BENTO, group_name="release", deps=[keys.RELEASE], kinds={"bentoml"})
def bento(home: HomeResource) -> dg.MaterializeResult:
    """The release packaged as a service, in the home's BentoML store."""
    from orchestration import releasing

    paths = home.paths()
    chosen, _ = releasing.candidate(paths)
    with measured() as cost:
        tag = bentos.build(paths, chosen.release_id)
    return dg.MaterializeResult(metadata={"tag": tag, **cost.metadata()})


@dg.asset(
    key=keys.CHAMPION, group_name="release", deps=[keys.INDEX, keys.BENTO, keys.ONLINE_FEATURES]
)
def champion(home: HomeResource) -> dg.MaterializeResult:
    """The one pointer that says which release and which index are live."""
    from orchestration import releasing
    from serving import index as indexes

    paths = home.paths()
    chosen, reason = releasing.candidate(paths)
    newest = indexes.newest(paths.indexes, chosen.release_id)
    live = champions.promote(paths, chosen.release_id, newest.index_id, reason)
    return dg.MaterializeResult(
        metadata={"release_id": live.release_id, "index_id": live.index_id, "reason": live.reason}
    )
