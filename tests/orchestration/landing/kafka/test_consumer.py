"""Topics over Kafka's real protocol, from librdkafka's mock cluster in a process of its own."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from orchestration.landing import LandedFile, load_mapping
from orchestration.landing.archive import quarantined_lines
from orchestration.landing.errors import (
    BrokerError,
    KafkaSettingsError,
    MappingError,
    MessagesLostError,
)
from orchestration.landing.kafka import consumer as topics
from orchestration.landing.kafka.config import load_kafka
from orchestration.landing.kafka.land import land_topics
from serving.home import Home
from tests.command import tastemate
from tests.mock_kafka import mock_cluster

MAPPING = """
source: shop
format: jsonl
events: {file: none, user: who, place: where, order: nth, kind: visit}
places: {file: none, place: id}
"""
Lines = Callable[[], list[dict[str, Any]]]
Messages = list[bytes | None]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with mock_cluster() as address:
        yield address


class Shop:
    """A topic of its own on the cluster, and a home that it lands in."""

    def __init__(self, home: Home, folder: Path, cluster: str) -> None:
        self.home, self.folder = home, folder
        self.topic = f"likes-{folder.name}"
        (folder / "mapping.yml").write_text(MAPPING)
        self.mapping = load_mapping(folder / "mapping.yml")
        self.move_to(cluster)

    def move_to(self, cluster: str) -> None:
        self.cluster = cluster
        self.producer = Producer({"bootstrap.servers": cluster, "log_level": 0})
        self.describe({"topics": {"events": self.topic}})

    def describe(self, fields: dict[str, Any]) -> Path:
        """Write a Kafka file, which is YAML, as JSON."""
        path = self.folder / "kafka.yml"
        path.write_text(json.dumps({"properties": {"bootstrap.servers": self.cluster}, **fields}))
        return path

    def accept(self, loss: str) -> None:
        self.describe({"topics": {"events": self.topic}, "accepted_losses": [loss]})

    def send(self, messages: Messages, partition: int = 0, topic: str | None = None) -> None:
        for message in messages:
            self.producer.produce(topic or self.topic, value=message, partition=partition)
        assert self.producer.flush(30) == 0

    def send_on(self, day: date, messages: Messages) -> None:
        noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp() * 1000)
        for message in messages:
            self.producer.produce(self.topic, value=message, partition=0, timestamp=noon)
        assert self.producer.flush(30) == 0

    def land(self, day: date | None = None) -> list[LandedFile]:
        kafka = load_kafka(self.folder / "kafka.yml", self.mapping)
        return land_topics(self.home, self.mapping, kafka, day=day)

    def names(self, day: date | None = None) -> list[str]:
        return [file.name.removeprefix(self.topic) for file in self.land(day)]

    def ledger(self, question: str) -> list[tuple[Any, ...]]:
        database = sqlite3.connect(self.home.ledger)
        rows = database.execute(question).fetchall()
        database.close()
        return rows


@pytest.fixture
def shop(home: Home, tmp_path: Path, cluster: str) -> Shop:
    return Shop(home, tmp_path, cluster)


def visits(first: int, count: int) -> Messages:
    return [b'{"who":"u%d","where":"v","nth":%d}' % (n % 7, n) for n in range(first, first + count)]


def numbers(lines: Lines) -> list[int]:
    return [row["doc"]["nth"] for row in lines()]


def test_every_message_lands_once_and_then_only_new_ones(shop: Shop, lines: Lines) -> None:
    shop.send(visits(0, 30))
    shop.send(visits(30, 20), partition=2)
    assert shop.names() == ["[0]@0-29", "[2]@0-19"]
    assert shop.names() == []
    shop.send(visits(50, 5), partition=2)
    shop.send(visits(55, 5), partition=3)
    assert shop.names() == ["[2]@20-24", "[3]@0-4"]
    assert sorted(numbers(lines)) == list(range(60))
    rows = pq.read_table(shop.home.landed_files).to_pylist()
    assert [(row["kind"], row["lines_in"], row["is_backfill"]) for row in rows] == [
        ("events", 30, True), ("events", 20, True), ("events", 5, False), ("events", 5, False),
    ]  # fmt: skip


def test_a_back_fill_of_a_day_ends_with_its_last_message(shop: Shop, lines: Lines) -> None:
    first, second, third = (date(2026, 3, day) for day in (1, 2, 3))
    shop.send_on(first, visits(0, 3))
    shop.send_on(second, visits(3, 4))
    shop.send_on(third, visits(7, 2))
    assert shop.names(first) == ["[0]@0-2"]
    assert shop.names(first) == []
    # Offsets land in their order, so nothing is left behind.
    assert shop.names(third) == ["[0]@3-8"]
    assert numbers(lines) == list(range(9))
    # All of them are the first load of the source; what comes after that is not.
    shop.send(visits(9, 10))
    shop.land()
    assert [bool(is_first) for (is_first,) in shop.ledger(
        "select is_backfill from files order by rowid"
    )] == [True, True, False]  # fmt: skip


def test_equal_messages_at_other_offsets_land_too(shop: Shop, lines: Lines) -> None:
    for _ in range(2):
        shop.send(visits(0, 3))
        shop.send(visits(0, 3), partition=1)
        shop.land()
    assert Counter(numbers(lines)) == {0: 4, 1: 4, 2: 4}


def test_a_message_is_one_line_whatever_its_bytes_are(shop: Shop, lines: Lines) -> None:
    two_lines = b'{"who":"u",\n"where":"v","nth":1}\n'
    unreadable: list[bytes | None] = [None, b"", b"\n", b"\xff\n\n", b"nope\nnope", b'{"nth":1}']
    shop.send([two_lines, *unreadable])
    (file,) = shop.land()
    assert file.lines_in == len(lines()) == 7
    assert file.unreadable == {"blank_line": 3, "not_text": 1, "not_json": 1, "no_user": 1}
    assert [row["byte_offset"] for row in lines()] == list(range(7))
    (kept,) = shop.home.quarantine.rglob("*.parquet")
    expected = dict(enumerate([message or b"" for message in unreadable], start=2))
    assert dict(quarantined_lines(shop.home, kept)) == expected


def test_many_messages_become_several_files_in_the_order_of_their_offsets(
    shop: Shop, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "MOST_MESSAGES", 8)
    monkeypatch.setattr(topics, "CHUNK_BYTES", 100)
    shop.send(visits(0, 20))
    assert shop.names() == ["[0]@0-7", "[0]@8-15", "[0]@16-19"]
    # Read in the order of file ids, by which the models tell the newer of two versions.
    assert numbers(lines) == list(range(20))


def test_marks_of_transactions_are_passed_over(shop: Shop, lines: Lines) -> None:
    settings = {"bootstrap.servers": shop.cluster, "transactional.id": shop.topic, "log_level": 0}
    producer = Producer(settings)
    producer.init_transactions(30)
    for first in (0, 2):
        producer.begin_transaction()
        for visit in visits(first, 2):
            producer.produce(shop.topic, value=visit, partition=0)
        producer.commit_transaction(30)
    assert shop.names() == ["[0]@0-4"]
    assert numbers(lines) == [0, 1, 2, 3]
    assert shop.names() == []
    assert shop.ledger("select max(next_offset) from offsets") == [(6,)]


def test_places_and_events_are_topics_of_one_source(shop: Shop) -> None:
    venues = f"venues-{shop.topic}"
    shop.describe({"topics": {"events": shop.topic, "places": venues}})
    shop.send(visits(0, 2))
    shop.send([b'{"id":"v"}'], topic=venues)
    assert [(file.kind, file.lines_in) for file in shop.land()] == [("places", 1), ("events", 2)]


def test_a_corrected_mapping_holds_for_messages_that_have_landed(shop: Shop) -> None:
    shop.send(visits(0, 2))
    shop.land()
    (shop.folder / "mapping.yml").write_text(MAPPING.replace("kind: visit", "kind: like"))
    shop.mapping = load_mapping(shop.folder / "mapping.yml")
    assert [file.is_remapped for file in shop.land()] == [True]
    assert shop.land() == []
    (row,) = pq.read_table(shop.home.landed_files).to_pylist()
    assert '"kind":"like"' in row["mapping"]


def test_the_position_is_shown_to_whoever_watches_the_lag(shop: Shop) -> None:
    shop.send(visits(0, 9))
    shop.land()
    settings = {"bootstrap.servers": shop.cluster, "group.id": "tastemate", "log_level": 0}
    consumer = Consumer(settings)
    (committed,) = consumer.committed([TopicPartition(shop.topic, 0)], timeout=30)
    consumer.close()
    assert committed.offset == 9


CONSUMER = """
import sys
from pathlib import Path
from orchestration.landing import load_mapping
from orchestration.landing.kafka import consumer as topics
from orchestration.landing.kafka.config import load_kafka
from orchestration.landing.kafka.land import land_topics
from serving.home import Home

topics.MOST_MESSAGES = 20
folder = Path(sys.argv[2])
mapping = load_mapping(folder / "mapping.yml")
kafka = load_kafka(folder / "kafka.yml", mapping)
print("ready", flush=True)
{before}
land_topics(Home(Path(sys.argv[1])), mapping, kafka)
"""


def consume(shop: Shop, before: str = "", kill_after: float | None = None) -> int:
    program = [sys.executable, "-c", CONSUMER.format(before=before), shop.home.root, shop.folder]
    with subprocess.Popen(program, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        if kill_after is not None:
            time.sleep(kill_after)
            os.kill(process.pid, signal.SIGKILL)
    return process.returncode


def accounted(shop: Shop, lines: Lines, count: int) -> None:
    """Say that every message landed once, and that ledger, export and archive agree."""
    assert sorted(numbers(lines)) == list(range(count))
    rows = pq.read_table(shop.home.landed_files).to_pylist()
    assert sum(row["lines_in"] for row in rows) == count
    assert {row["file_id"] for row in rows} == {row["file_id"] for row in lines()}
    assert not [path for path in shop.home.lines.rglob("*") if path.suffix in {".stray", ".tmp"}]
    ranges = "select partition, first_offset, next_offset from offsets order by 1, 3"
    at: dict[int, int] = {}
    for partition, first, after in shop.ledger(ranges):
        assert first == at.get(partition, 0)
        at[partition] = after


DIE = """
import os, signal
from orchestration.landing import archive, ledger

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

count = 0
real = {name}

def second(*arguments):
    global count
    count += 1
    {early}
    result = real(*arguments)
    {late}
    return result

{name} = second
"""


@pytest.mark.parametrize(
    ("name", "early", "late"),
    [
        ("archive.put_in_place", "count > 1 and die()", ""),
        ("ledger.Ledger.add", "count > 1 and die()", ""),
        ("ledger.astuple", "isinstance(*arguments, ledger.Entry) and die()", ""),
        ("ledger.Ledger.add", "", "count > 1 and die()"),
        ("ledger.Ledger.finish_load", "die()", ""),
    ],
    ids=["file unnamed", "file, no row", "within the transaction", "row, no export", "all read"],
)
def test_a_consumer_killed_at_the_worst_moments_lands_all_once(
    shop: Shop, lines: Lines, name: str, early: str, late: str
) -> None:
    shop.send(visits(0, 45))
    shop.send(visits(45, 45), partition=1)
    before = DIE.format(name=name, early=early or "pass", late=late or "pass")
    assert consume(shop, before) == -signal.SIGKILL
    # More has come meanwhile: what is read again is not cut where it was cut before.
    shop.send(visits(90, 10))
    shop.land()
    accounted(shop, lines, 100)
    assert all(row["is_backfill"] for row in pq.read_table(shop.home.landed_files).to_pylist())


@pytest.mark.slow
def test_a_consumer_killed_at_any_moment_lands_all_once(shop: Shop, lines: Lines) -> None:
    chance = random.Random(3)  # noqa: S311 - the moment of a kill is no secret
    killed = 0
    for turn in range(5):
        shop.send(visits(turn * 100, 100), partition=turn % 3)
        killed += consume(shop, kill_after=chance.uniform(0, 1.5)) == -signal.SIGKILL
    assert killed
    assert consume(shop) == 0
    accounted(shop, lines, 500)


def test_messages_deleted_before_they_landed_are_told_and_only_given_up_by_name(
    shop: Shop, lines: Lines
) -> None:
    shop.send(visits(0, 3))
    shop.land()
    shop.send(visits(3, 2))
    # More than the cluster keeps of a partition.
    shop.send([b'{"who":"u","where":"v","nth":5,"x":"%s"}' % (b"x" * 500_000)] * 14)
    for _ in range(2):
        with pytest.raises(MessagesLostError, match=r"deleted offsets 3 to \d+ before they landed"):
            shop.land()
    shop.accept(f"{shop.topic}[0]@2")
    with pytest.raises(MessagesLostError, match=f'accepted_losses: \\["{shop.topic}\\[0\\]@3"\\]'):
        shop.land()
    shop.accept(f"{shop.topic}[0]@3")
    (file,) = shop.land()
    (lost,) = shop.ledger("select first_offset, next_offset, file_id from offsets where is_lost")
    assert lost[0] == 3
    assert file.name == f"{shop.topic}[0]@{lost[1]}-18"
    assert len(lines()) == 3 + 19 - lost[1]


def test_messages_deleted_while_they_are_read_are_told(shop: Shop) -> None:
    shop.send([b"x" * 500_000] * 14)
    kafka = load_kafka(shop.folder / "kafka.yml", shop.mapping)
    told = pytest.raises(MessagesLostError, match="deleted messages while they were read")
    with closing(topics.TopicReader(kafka)) as reader, told:
        # As if the broker had deleted them since it was asked what it has.
        reader.read(shop.topic, 0, 0, 14).take()


def test_what_was_deleted_before_the_first_landing_was_never_promised(shop: Shop) -> None:
    shop.send([b'{"who":"u","x":"%s"}' % (b"x" * 500_000)] * 14)
    (file,) = shop.land()
    assert 0 < file.lines_in < 14


def test_a_topic_on_another_cluster_is_told(shop: Shop, lines: Lines) -> None:
    shop.send(visits(0, 3))
    shop.land()
    with mock_cluster() as other:
        shop.move_to(other)
        shop.send(visits(3, 5))
        with pytest.raises(MessagesLostError, match=f"{shop.topic}@mockCluster") as told:
            shop.land()
        shop.accept(str(told.value).split('"')[1])
        assert shop.names() == ["[0]@0-4"]
        assert shop.names() == []
    assert sorted(numbers(lines)) == list(range(8))


def test_a_topic_that_ends_before_what_has_landed_is_told(shop: Shop) -> None:
    shop.send(visits(0, 3))
    shop.land()
    database = sqlite3.connect(shop.home.ledger)
    with database:
        database.execute("update offsets set next_offset = 9 where next_offset = 3")
    database.close()
    with pytest.raises(MessagesLostError, match="up to offset 9 have landed, but it ends at 3"):
        shop.land()


def test_a_topic_that_is_not_there_is_told(shop: Shop) -> None:
    with pytest.raises(BrokerError, match=f"topic '{shop.topic}' at .* Unknown topic"):
        shop.land()


def test_a_broker_that_is_not_there_is_told_in_time(shop: Shop) -> None:
    properties = {"bootstrap.servers": "localhost:1", "socket.timeout.ms": 2000}
    shop.describe({"topics": {"events": shop.topic}, "properties": properties})
    begun = time.monotonic()
    with pytest.raises(BrokerError, match=r"localhost:1: .*refused"):
        shop.land()
    assert time.monotonic() - begun < 15


TOPICS = {"events": "likes"}
SERVERS = {"bootstrap.servers": "localhost:9092"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, r"kafka\.yml: topics is missing"),
        ({"topics": {}}, "topics: name a topic under 'events'"),
        ({"topics": TOPICS, "properties": {}}, r"properties: 'bootstrap\.servers' is missing"),
        ({"topics": TOPICS, "group": 1}, r"group is no field of a Kafka file .*Remove it"),
        ({"properties": SERVERS | {"a": [1]}}, r"properties\.a: a property is a text, a number"),
        ({"properties": SERVERS | {"auto.offset.reset": "latest"}}, "always error here; remove it"),
        (
            {"properties": SERVERS | {"sasl.password": "hunter2$x"}},
            r"'sasl\.password' holds the sec",
        ),
        ({"properties": SERVERS | {"sasl.password": "${NOT_SET}"}}, "NOT_SET, which is not set"),
        ({"properties": SERVERS | {"sasl.username": "a$"}}, r"write \$\$ for the sign itself"),
    ],
)
def test_wrong_settings_say_where_and_what_is_right(
    shop: Shop, fields: dict[str, Any], said: str
) -> None:
    path = shop.folder / "kafka.yml"
    path.write_text(json.dumps(fields))
    with pytest.raises(KafkaSettingsError, match=f"(?s){said}") as told:
        load_kafka(path, shop.mapping)
    assert "hunter2" not in str(told.value)


def test_a_property_that_librdkafka_does_not_know_is_told(shop: Shop) -> None:
    shop.describe({"topics": TOPICS, "properties": SERVERS | {"bootstrap.sever": "x"}})
    with pytest.raises(KafkaSettingsError, match=r'"bootstrap\.sever"'):
        shop.land()


def test_secrets_come_from_the_environment(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", "a$b")
    secret = SERVERS | {"sasl.password": "${KAFKA_PASSWORD}", "sasl.username": "a$$b", "debug": ""}
    path = shop.describe({"topics": TOPICS, "properties": secret})
    configuration = load_kafka(path, shop.mapping).configuration()
    assert configuration["sasl.password"] == configuration["sasl.username"] == "a$b"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("format: jsonl", "format: csv"), "format csv.*with format jsonl"),
        (("places: {file: none, place: id}", ""), "has no 'places'"),
    ],
)
def test_a_mapping_that_does_not_fit_topics_is_told(
    shop: Shop, change: tuple[str, str], said: str
) -> None:
    (shop.folder / "mapping.yml").write_text(MAPPING.replace(*change))
    path = shop.describe({"topics": {"places": "venues"}})
    with pytest.raises(MappingError, match=said):
        load_kafka(path, load_mapping(shop.folder / "mapping.yml"))


@pytest.mark.slow
def test_the_command_remembers_a_topic_and_says_plainly_what_is_wrong(
    shop: Shop, lines: Lines
) -> None:
    options = ["ingest", "--source", "kafka", "--mapping", "mapping.yml", "--path", "kafka.yml"]
    refused = tastemate(shop.home.root, *options, check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Error: topic '{shop.topic}' at {shop.cluster}: Broker: Unk")
    shop.send(visits(0, 3))
    assert "[0]@0-2 (events): 3 lines landed" in tastemate(shop.home.root, *options).stdout
    shop.send(visits(3, 2))
    again = tastemate(shop.home.root, "ingest")
    assert "[0]@3-4 (events): 2 lines landed" in again.stdout
    assert "rdkafka" not in again.stderr
    assert "kafka.yml: no new messages" in tastemate(shop.home.root, "ingest").stderr
    assert sorted(numbers(lines)) == list(range(5))
