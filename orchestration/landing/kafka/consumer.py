"""Topics, read partition by partition from a given offset to what is there now."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime

import pyarrow as pa
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from orchestration.landing.errors import BrokerError, KafkaSettingsError, MessagesLostError
from orchestration.landing.kafka.config import PATIENCE, Kafka
from orchestration.landing.readers.batches import CHUNK_BYTES, Batch
from orchestration.landing.readers.json_lines import as_text

MOST_MESSAGES = 500_000
"""How many messages of a partition land as one file; a kill costs reading so many again."""


class TopicReader:
    """A connection to the broker.

    Raises:
        KafkaSettingsError: librdkafka does not take the properties.
    """

    def __init__(self, kafka: Kafka) -> None:
        self._servers = kafka.properties["bootstrap.servers"]
        configuration = kafka.configuration()
        self._patience = float(configuration[PATIENCE]) / 1000
        self._complaint = ""
        try:
            self._consumer = Consumer({**configuration, "error_cb": self._hear})
        except KafkaException as error:
            raise KafkaSettingsError(
                f"properties: {error.args[0].str()}. librdkafka's CONFIGURATION.md lists them all."
            ) from None

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()

    def _hear(self, error: KafkaError) -> None:
        """Remember what librdkafka complains of while it goes on trying."""
        if error.code() != KafkaError._ALL_BROKERS_DOWN or not self._complaint:  # noqa: SLF001 - its public name
            self._complaint = error.str()

    def partitions(self, topic: str) -> tuple[str, dict[int, tuple[int, int]]]:
        """Give the cluster's id, and the first and the next offset of each partition of *topic*.

        Raises:
            BrokerError: the broker does not answer or refuses, or there is no such topic.
        """
        try:
            cluster = self._consumer.list_topics(topic, self._patience)
            metadata = cluster.topics[topic]
            bounds = {number: self._bounds(topic, number) for number in sorted(metadata.partitions)}
        except KafkaException as error:
            raise self._broker_error(topic, str(error.args[0].str())) from None
        if metadata.error:
            raise self._broker_error(topic, metadata.error.str())
        return str(cluster.cluster_id), bounds

    def _bounds(self, topic: str, partition: int) -> tuple[int, int]:
        place = TopicPartition(topic, partition)
        low, high = self._consumer.get_watermark_offsets(place, timeout=self._patience)
        return low, high

    def read(
        self, topic: str, partition: int, start: int, end: int, day: date | None = None
    ) -> "PartitionReader":
        """Read a partition from *start* to before *end*, and to before what came after *day*."""
        self._consumer.assign([TopicPartition(topic, partition, start)])
        return PartitionReader(self, topic, start, end, day)

    def next_message(self, topic: str) -> Message:
        """Wait for the next message of what is read, or the end of its partition."""
        message = self._consumer.poll(self._patience)
        if message is None:
            raise self._broker_error(topic, f"nothing came for {self._patience:g} s")
        error = message.error()
        if error is None or error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
            return message
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - its public name
            raise MessagesLostError(
                f"{topic}[{message.partition()}]: the broker deleted messages while they were "
                "read. What had landed before is kept; ingest again to be told which are lost."
            )
        raise self._broker_error(topic, error.str())

    def show_position(self, topic: str, partition: int, position: int) -> None:
        """Commit *position* for those who watch the group's lag; nobody reads on from it."""
        with suppress(KafkaException):
            self._consumer.commit(offsets=[TopicPartition(topic, partition, position)])

    def _broker_error(self, topic: str, said: str) -> BrokerError:
        self._consumer.poll(0)  # lets librdkafka say why
        why = f" ({self._complaint})" if self._complaint else ""
        return BrokerError(
            f"topic '{topic}' at {self._servers}: {said}{why}. What has landed is kept; check the "
            "topic's name, the broker and the properties of the Kafka file, then ingest again."
        )


class PartitionReader:
    """The messages of a partition, in order; `position` is the offset to read on from."""

    def __init__(
        self, reader: TopicReader, topic: str, start: int, end: int, day: date | None = None
    ) -> None:
        self._reader = reader
        self._topic = topic
        self._end = end
        self._day = day
        self.position = start

    def files(self) -> Iterator["MessageFile"]:
        """Yield what is to land as one file each; each is to be read before the next."""
        while (message := self.take()) is not None:
            yield MessageFile(self, message)

    def take(self) -> Message | None:
        """Give the next message; None where there is no more."""
        if self.position >= self._end:
            return None
        message = self._reader.next_message(self._topic)
        at = _offset(message)
        if message.error():
            # Behind the last message may stand marks of transactions, which nobody is given.
            self.position = max(self.position, at)
            self._end = self.position
            return None
        if at >= self._end:
            self.position = self._end
            return None
        if self._day is not None and _day_of(message) > self._day:
            self._end = self.position
            return None
        self.position = at + 1
        return message


class MessageFile:
    """Messages that land as one file: their values as lines, each with a line feed after it."""

    def __init__(self, partition: PartitionReader, first: Message) -> None:
        self._partition = partition
        self._first = first
        self.first_offset = self.last_offset = _offset(first)
        self.bytes = 0
        self.sha256 = hashlib.sha256()

    def batches(self) -> Iterator[Batch]:
        """Read the messages in bounded memory; a null value is a blank line."""
        message: Message | None = self._first
        lines, offsets, count, size = list[bytes](), list[int](), 0, 0
        while message is not None:
            line = (message.value() or b"") + b"\n"
            self.sha256.update(line)
            self.bytes += len(line)
            self.last_offset = _offset(message)
            lines.append(line)
            offsets.append(self.last_offset)
            size += len(line)
            count += 1
            if size >= CHUNK_BYTES:
                yield _batch(lines, offsets)
                lines, offsets, size = [], [], 0
            message = self._partition.take() if count < MOST_MESSAGES else None
        if lines:
            yield _batch(lines, offsets)


def _batch(lines: list[bytes], offsets: list[int]) -> Batch:
    raw = pa.array(lines, pa.binary())
    docs, reasons = as_text(raw)
    return Batch(raw, docs, reasons, pa.array(offsets, pa.int64()))


def _day_of(message: Message) -> date:
    """Tell the day, UTC, that the broker or the producer has stamped a message with."""
    _, milliseconds = message.timestamp()
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date()


def _offset(message: Message) -> int:
    offset = message.offset()
    assert offset is not None  # noqa: S101 - only messages that were never sent have none
    return offset
