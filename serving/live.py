"""What is live in this process: one release, and the newest index of it (hot reload)."""

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from serving import champion
from serving.home import Home
from serving.problems import RefusalError
from serving.release import Release, verify

if TYPE_CHECKING:
    from serving.answers import Answers
    from serving.index import Index

LOG = logging.getLogger("bentoml.tastemate")


class Live:
    """Opens a release once and follows the daily index of it; never changes the release.

    The index is followed by the champion pointer: a promotion that names this release
    and another index is noticed by the next request, opened beside it, and swapped in.
    """

    def __init__(self) -> None:
        self._answers: Answers | None = None
        self._home: Home | None = None
        self._seen = 0
        self._refreshing = threading.Lock()

    def open(self, home: Home, release_dir: Path, release_id: str) -> None:
        """Check the release, load it, its index, the keys and the reader, and try them once."""
        from serving.answers import Answers
        from serving.histories import open_features
        from serving.onnx_model import open_recommender
        from serving.pseudonyms import Pseudonyms
        from serving.vault import Vault

        release = verify(release_dir, release_id)
        recommender = open_recommender(release_dir)
        self._home = home
        self._seen = self._changed_at()
        answers = Answers(
            release=release,
            recommender=recommender,
            index=self._current_index(home, release),
            features=open_features(release, home, recommender.places.place_ids),
            pseudonyms=Pseudonyms(home.keys),
            vault=Vault(home),
        )
        answers.warm_up()
        self._answers = answers

    @property
    def is_open(self) -> bool:
        return self._answers is not None

    def answers(self) -> "Answers":
        """Give what answers now."""
        if self._answers is None:
            raise RefusalError(
                503, "The release is still being loaded. Ask again when /readyz says 200."
            )
        if self._changed_at() != self._seen and self._refreshing.acquire(blocking=False):
            threading.Thread(target=self._refresh, args=(self._answers,), daemon=True).start()
        return self._answers

    def _refresh(self, answers: "Answers") -> None:
        from serving.index import IndexFaultError

        try:
            self._seen = self._changed_at()
            assert self._home is not None  # noqa: S101 -- set by open(), as answers was
            answers.index = self._current_index(self._home, answers.release)
            LOG.info("index %s is live", answers.index.index_id)
        except IndexFaultError as error:
            LOG.warning("%s The index %s stays live.", error, answers.index.index_id)
        finally:
            self._refreshing.release()

    def _changed_at(self) -> int:
        assert self._home is not None  # noqa: S101 -- set by open()
        try:
            return self._home.champion.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    @staticmethod
    def _current_index(home: Home, release: Release) -> "Index":
        """Open the champion's index if it is of this release, else the newest that is.

        A service that is about to become champion, or no longer is, has one too.
        """
        from serving.index import newest, open_index

        try:
            live = champion.read(home)
        except champion.NoChampionError:
            return newest(home.indexes, release.release_id)
        if live.release_id != release.release_id:
            return newest(home.indexes, release.release_id)
        return open_index(home.indexes / live.index_id)
