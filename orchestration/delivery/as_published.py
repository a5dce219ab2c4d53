"""Whether what is there is what the last run published: marts, features, online store, index.

A cheap look, by footers, marks, samples and what the last comparison found, for whoever would
otherwise believe it: a run that has nothing new to do, and the doctor.
"""

from feature_repo.known_stores import known_stores
from feature_repo.still_online import lost_online, never_filled
from orchestration.home.state_files import Pointers
from orchestration.online.comparison import last_comparison
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
    made = handed_on.differences(home)
    return [*made, *_online(home, are_published=not made), *_compared(home), *_index(home)]


def _online(home: Home, *, are_published: bool) -> list[str]:
    unused = never_filled(home.root)
    if unused and known_stores(home.root):
        return [f"nothing of this home was ever put into the online store in use, {unused}"]
    return lost_online(home.root, are_published=are_published)


def _compared(home: Home) -> list[str]:
    """What the last comparison of every key has found, which nothing has mended since."""
    parity = last_comparison(home).read()
    if parity is None or parity.holds:
        return []
    wrong = parity.keys - parity.equal
    return [f"of {parity.keys:,} keys, {wrong:,} were found to differ online from their rows"]


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
