"""Topics land, exactly once: each message one time, however often a landing is killed.

The offsets of a file's messages are written into the ledger together with the file's own row,
and where to read on is asked of the ledger alone. So messages have landed with their offsets,
or neither has.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date

from orchestration.landing.errors import MessagesLostError
from orchestration.landing.kafka.config import Kafka
from orchestration.landing.kafka.consumer import MessageFile, TopicReader
from orchestration.landing.land import (
    Content,
    LandedFile,
    Landing,
    Progress,
    loading,
    ready,
    silent,
)
from orchestration.landing.ledger import Ledger, Offsets, Stream
from orchestration.landing.mapping import Mapping
from orchestration.landing.sources import reading_of
from serving.home import Home


@dataclass(frozen=True)
class _Unread:
    """What is there now of a partition and has not landed."""

    stream: Stream
    partition: int
    start: int
    end: int


def check_topics(kafka: Kafka) -> None:
    """Ask the broker for the topics.

    Raises:
        LandingError: the topics cannot be read.
    """
    with closing(TopicReader(kafka)) as reader:
        for _, topic in kafka.by_kind():
            reader.partitions(topic)


def land_topics(
    home: Home,
    mapping: Mapping,
    kafka: Kafka,
    progress: Progress | None = None,
    *,
    day: date | None = None,
) -> list[LandedFile]:
    """Land what the topics hold now and has not landed, places first; up to the end of a *day*.

    Raises:
        BrokerError: the broker does not answer or refuses; what has landed before that is kept.
        MessagesLostError: the broker no longer has what was to land next.
    """
    with ready(home) as ledger, closing(TopicReader(kafka)) as reader:
        accounts = _Accounts(ledger, reader, mapping.source, kafka.accepted_losses)
        unread = [part for kind, topic in kafka.by_kind() for part in accounts.unread(kind, topic)]
        with loading(home, ledger, mapping) as landing:
            landed = _remapped(ledger, landing, mapping, unread)
            topics = _Topics(ledger, landing, reader, mapping, day)
            for part in unread:
                for file in topics.land(part):
                    landed.append(file)
                    (progress or silent)(file.name, file.bytes, file.bytes)
    return landed


class _Accounts:
    """Tells what is to be read next, and lets nothing get lost in silence."""

    def __init__(
        self, ledger: Ledger, reader: TopicReader, source: str, accepted_losses: tuple[str, ...]
    ) -> None:
        self._ledger = ledger
        self._reader = reader
        self._source = source
        self._accepted_losses = accepted_losses

    def unread(self, kind: str, topic: str) -> list[_Unread]:
        cluster, bounds = self._reader.partitions(topic)
        stream = Stream(self._source, kind, cluster, topic)
        self._refuse_another_cluster(stream)
        positions = self._ledger.positions(stream)
        if not positions:
            # From here on every offset is accounted for, those of partitions to come from 0 on.
            positions = {number: low for number, (low, _) in bounds.items()}
            begun = [Offsets(stream, number, low, low) for number, low in positions.items()]
            self._ledger.pass_over(begun)
        return [
            self._unread(stream, number, positions.get(number, 0), *bounds[number])
            for number in bounds
        ]

    def _unread(self, stream: Stream, number: int, start: int, low: int, high: int) -> _Unread:
        if start > high:
            raise MessagesLostError(
                f"{stream.topic}[{number}]: messages up to offset {start} have landed, but it ends "
                f"at {high}: the topic was made anew, or the broker has lost the end of it. To "
                "read it from its beginning, give the mapping another 'source'."
            )
        if start < low:
            self._accept(Offsets(stream, number, start, low, is_lost=True))
        return _Unread(stream, number, max(start, low), high)

    def _refuse_another_cluster(self, stream: Stream) -> None:
        """Let nobody read on in another cluster, where the same offsets are other messages."""
        known = self._ledger.clusters_of(stream)
        loss = f"{stream.topic}@{stream.cluster}"
        if known and stream.cluster not in known and loss not in self._accepted_losses:
            raise MessagesLostError(
                f"topic '{stream.topic}' has landed from the cluster {known[-1]}; this is the "
                f"cluster {stream.cluster}. What the former still held does not land. To read this "
                f'one from its beginning, write into the Kafka file: accepted_losses: ["{loss}"]'
            )

    def _accept(self, lost: Offsets) -> None:
        partition = f"{lost.stream.topic}[{lost.partition}]"
        # Named by where it begins: while someone reads this, the broker goes on deleting.
        loss = f"{partition}@{lost.first_offset}"
        if loss not in self._accepted_losses:
            raise MessagesLostError(
                f"{partition}: the broker has deleted offsets {lost.first_offset} to "
                f"{lost.next_offset - 1} before they landed. Let the topic keep messages for "
                "longer (retention.ms), or ingest more often. To go on without them, write into "
                f'the Kafka file: accepted_losses: ["{loss}"]'
            )
        self._ledger.pass_over([lost])


def _remapped(
    ledger: Ledger, landing: Landing, mapping: Mapping, unread: list[_Unread]
) -> list[LandedFile]:
    """Let a mapping that was corrected hold for what has landed, as it does for files."""
    return [
        landing.again(entry, reading_of(mapping, entry.kind), entry.name, stream.topic)
        for stream in dict.fromkeys(part.stream for part in unread)
        for entry in ledger.files_of(stream)
        if entry.mapping != mapping.to_json()
    ]


class _Topics:
    def __init__(
        self,
        ledger: Ledger,
        landing: Landing,
        reader: TopicReader,
        mapping: Mapping,
        day: date | None,
    ) -> None:
        self._ledger = ledger
        self._landing = landing
        self._reader = reader
        self._mapping = mapping
        self._day = day

    def land(self, part: _Unread) -> Iterator[LandedFile]:
        if part.start == part.end:
            return
        topic, number, position = part.stream.topic, part.partition, part.start
        partition = self._reader.read(topic, number, part.start, part.end, self._day)
        for file in partition.files():
            yield self._land(part, position, file)
            position = file.last_offset + 1
        if partition.position > position:
            self._ledger.pass_over([Offsets(part.stream, number, position, partition.position)])
        self._landing.takes_all &= partition.position >= part.end
        self._reader.show_position(topic, number, partition.position)

    def _land(self, part: _Unread, start: int, file: MessageFile) -> LandedFile:
        begun = time.perf_counter()
        stream, number = part.stream, part.partition
        file_id = file_id_of(stream, number, start)
        reading = reading_of(self._mapping, stream.kind)
        archived = self._landing.archive(file_id, stream.kind, reading, lambda _: file.batches())
        name = f"{stream.topic}[{number}]@{file.first_offset}-{file.last_offset}"
        content = Content(stream.kind, name, file.sha256.hexdigest(), file.bytes)
        offsets = Offsets(stream, number, start, file.last_offset + 1, file_id)
        return self._landing.count(archived, content, begun, offsets)


def file_id_of(stream: Stream, partition: int, start: int) -> str:
    """Give the id of the file of a partition's messages from *start* on.

    Ids of one partition sort as the offsets do: of two versions of an event that landed in the
    same moment the models take the one of the greater id. What is landed again after a kill has
    the same id, however many messages have come since.
    """
    told = f"{stream.source}|{stream.kind}|{stream.cluster}|{stream.topic}|{partition}"
    return f"{hashlib.sha256(told.encode()).hexdigest()[:16]}-{start:016x}"
