"""Whether what is there is what the last run published: marts, features, online store, index.

A cheap look, by footers, marks and samples, for whoever would otherwise believe it: a run that has
nothing new to do, and the doctor.
"""

from feature_repo.still_online import lost_online
from orchestration.home.state_files import Pointers
from orchestration.warehouse import handed_on
from serving import champion
from serving.home import Home


def differences(home: Home) -> list[str]:
    """Say in which way it is not; empty: in none, or no run has published anything yet.

    Raises:
        OnlineStoreUnavailable: the online store does not answer.
    """
    if Pointers(home).last_run.read() is None:
        return []
    return [*handed_on.differences(home), *lost_online(home.root), *_index(home)]


def _index(home: Home) -> list[str]:
    from serving.index import IndexFaultError, open_index
    from serving.release import ReleaseError, open_release

    if not home.champion.exists():
        return []
    live = champion.read(home)
    try:
        open_release(home.releases / live.release_id)
        open_index(home.indexes / live.index_id)
    except (ReleaseError, IndexFaultError) as error:
        return [str(error)]
    return []
