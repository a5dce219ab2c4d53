"""From an evaluated model to what is live: release, index, bento, champion."""

import dagster as dg
import numpy as np

from orchestration import asset_keys as keys
from orchestration.home.console import say
from orchestration.model.assets import Training
from orchestration.release import live
from orchestration.steps.home_resource import STARTED_HERE, HomeResource
from orchestration.steps.resource_usage import measured
from serving import bento as bentos
from serving import champion as champions
from serving.release import verify


@dg.asset(
    key=keys.FIRST_ANSWER,
    group_name="release",
    deps=[keys.TRAINING_SET, keys.ONLINE_FEATURES, keys.USER_FAVOR, keys.PLACE],
    # Where steps share one process: before the training, which would keep people waiting.
    op_tags={"dagster/priority": "1"},
)
def first_answer(home: HomeResource, config: Training) -> dg.MaterializeResult:
    """The best baseline, live while the first model learns, where that takes long."""
    from orchestration.release.first_answer import answer_first, reason_against

    paths = home.paths()
    reason = reason_against(paths, config.preset)
    if reason:
        return dg.MaterializeResult(metadata={"reason": reason})
    with measured() as cost:
        promoted = answer_first(paths)
    say(f"live now: {promoted.reason}. To have it answer meanwhile: tastemate serve")
    return dg.MaterializeResult(
        metadata={
            "release_id": promoted.release_id,
            "index_id": promoted.index_id,
            "reason": promoted.reason,
            **cost.metadata(),
        }
    )


@dg.asset(
    key=keys.RELEASE,
    group_name="release",
    # After the first answer, for of the two this one is to be live at the end.
    deps=[keys.EVALUATION, keys.REGISTRY, keys.FIRST_ANSWER],
    check_specs=[
        dg.AssetCheckSpec(
            "content_matches_its_name",
            asset=keys.RELEASE,
            description="The release's files hash to its name, and were not touched since.",
        )
    ],
)
def release(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult:
    """Everything that decides an answer, except the people: named by its content."""
    from orchestration.release.choice import choose
    from orchestration.release.pack import pack_release

    paths = home.paths()
    with measured() as cost:
        chosen = choose(paths)
        packed = pack_release(paths, chosen)
        verify(packed.folder)  # raises where a file has changed
    live.remember_candidate(paths, packed.release_id, chosen.reason)
    if STARTED_HERE.items() <= context.run.tags.items():
        # Of a run whose steps share this process; it takes the other core while the index is made.
        bentos.build_ahead(paths, packed.release_id)
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
    # Before the bento, which may be in the making.
    op_tags={"dagster/priority": "1"},
    deps=[keys.RELEASE, keys.USER_FAVOR, keys.PLACE],
    kinds={"faiss"},
    check_specs=[
        dg.AssetCheckSpec(
            "finds_nearly_all_of_the_nearest",
            asset=keys.INDEX,
            description="At least .95 of the ten nearest are found; else the search is exact.",
        )
    ],
)
def index(home: HomeResource) -> dg.MaterializeResult:
    """The vectors of everybody who agreed to be shown."""
    from orchestration.release.hubness import exposure, steadiness
    from orchestration.release.pack import build_index
    from serving import index as indexes

    paths = home.paths()
    chosen, _ = live.candidate(paths)
    before = indexes.newest_or_none(paths.indexes, chosen.release_id)
    with measured() as cost:
        made = build_index(paths, chosen)
        vectors = np.asarray(made.vectors)
        shown = {
            "exposure": exposure(vectors, made.usual),
            "exposure_by_likeness_alone": exposure(vectors, np.zeros_like(made.usual)),
        }
        kept = (
            {
                "nearest_kept_since": before.as_of,
                "nearest_kept": steadiness(before, made),
            }
            if before
            else {}
        )
    size = sum(file.stat().st_size for file in made.folder.iterdir())
    return dg.MaterializeResult(
        metadata={
            "index_id": made.index_id,
            "dagster/row_count": len(made),
            "bytes": size,
            **{
                f"{way}/{name}": value
                for way, found in shown.items()
                if found
                for name, value in vars(found).items()
            },
            "recall_at_10": made.recall,
            **kept,
            **cost.metadata(),
        },
        check_results=[
            dg.AssetCheckResult(
                passed=made.missed_recall is None,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"recall_at_10": made.missed_recall or made.recall},
            )
        ],
    )


@dg.asset(key=keys.BENTO, group_name="release", deps=[keys.RELEASE], kinds={"bentoml"})
def bento(home: HomeResource) -> dg.MaterializeResult:
    """The release packaged as a service, in the home's BentoML store."""
    paths = home.paths()
    chosen, _ = live.candidate(paths)
    with measured() as cost:
        tag = bentos.build(paths, chosen.release_id)
    return dg.MaterializeResult(metadata={"tag": tag, **cost.metadata()})


@dg.asset(
    key=keys.CHAMPION, group_name="release", deps=[keys.INDEX, keys.BENTO, keys.ONLINE_FEATURES]
)
def champion(home: HomeResource) -> dg.MaterializeResult:
    """The one pointer that says which release and which index are live."""
    from serving import index as indexes

    paths = home.paths()
    chosen, reason = live.candidate(paths)
    newest = indexes.newest(paths.indexes, chosen.release_id)
    promoted = champions.promote(paths, chosen.release_id, newest.index_id, reason)
    return dg.MaterializeResult(
        metadata={
            "release_id": promoted.release_id,
            "index_id": promoted.index_id,
            "reason": promoted.reason,
        }
    )
