"""A Kafka cluster to test against: librdkafka's own mock, which speaks the protocol over TCP.

python -m tests.mock_kafka prints its address and lives until its standard input ends.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import Producer


@contextmanager
def mock_cluster() -> Iterator[str]:
    """Run a cluster in a process of its own; give its address.

    A topic comes into being when it is first written to, with four partitions. A partition keeps
    its newest 5 MB.
    """
    program = [sys.executable, __file__]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip()
        process.stdin.close()


def _main() -> None:
    producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    (broker,) = producer.list_topics(timeout=30).brokers.values()
    print(f"{broker.host}:{broker.port}", flush=True)  # noqa: T201 - it is what the caller waits for
    sys.stdin.read()


if __name__ == "__main__":
    _main()
