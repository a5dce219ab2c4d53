"""Kafka files: which topics hold a source's documents, and how their broker is reached.

`docs/how-to/kafka.md` is the reference; what is checked here is what the page says.
"""

import os
import re
from pathlib import Path
from string import Template
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from orchestration.home.yaml_files import read_described
from orchestration.landing.errors import KafkaSettingsError, MappingError
from orchestration.landing.mapping import Mapping, Strict

KAFKA: Final = "kafka"
PATIENCE: Final = "socket.timeout.ms"
_DEFAULTS = {"group.id": "tastemate", PATIENCE: "20000", "log_level": "0"}
# What exactly-once rests on: the ledger alone says where to read on, and nothing is skipped.
_OURS = {
    "auto.offset.reset": "error",
    "enable.auto.commit": "false",
    "enable.auto.offset.store": "false",
    "enable.partition.eof": "true",
    "isolation.level": "read_committed",
}
_SECRET = re.compile(r"(password|secret|key\.pem)$")
_REFERENCE = re.compile(r"\$\{\w+\}")
_HINT = "See docs/how-to/kafka.md for one to begin with."


def _as_text(value: Any) -> str:
    """Write *value* as librdkafka reads it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError("a property is a text, a number, or true or false")


class Topics(Strict):
    """The topics by the kind of document that they hold."""

    places: Annotated[str, Field(min_length=1)] | None = None
    events: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if not (self.places or self.events):
            raise ValueError("name a topic under 'events', under 'places', or both")
        return self


class Kafka(Strict):
    """The topics of one source.

    ``properties`` are librdkafka's. ``accepted_losses`` are those that a `MessagesLostError` told.
    """

    topics: Topics
    properties: dict[str, Annotated[str, BeforeValidator(_as_text)]]
    accepted_losses: tuple[str, ...] = ()

    @field_validator("properties")
    @classmethod
    def _usable(cls, properties: dict[str, str]) -> dict[str, str]:
        if "bootstrap.servers" not in properties:
            raise ValueError("'bootstrap.servers' is missing, such as broker.example:9093")
        for name, value in properties.items():
            if name in _OURS:
                raise ValueError(f"'{name}' is always {_OURS[name]} here; remove it")
            if _SECRET.search(name) and not _REFERENCE.fullmatch(value):
                raise ValueError(
                    f"'{name}' holds the secret itself; put that into an environment variable "
                    "and name it here, such as ${KAFKA_PASSWORD}"
                )
        return {name: _filled_in(name, value) for name, value in properties.items()}

    def configuration(self) -> dict[str, str]:
        """Give librdkafka's properties, ours among them."""
        return {**_DEFAULTS, **self.properties, **_OURS}

    def by_kind(self) -> list[tuple[str, str]]:
        """List the (kind, topic) pairs, places first."""
        told = [("places", self.topics.places), ("events", self.topics.events)]
        return [(kind, topic) for kind, topic in told if topic]


def _filled_in(name: str, value: str) -> str:
    try:
        return Template(value).substitute(os.environ)
    except KeyError as error:
        raise ValueError(
            f"'{name}' names the environment variable {error.args[0]}, which is not set; export it"
        ) from None
    except ValueError:
        raise ValueError(
            f"'{name}' has a $ that begins no ${{NAME}}; write $$ for the sign itself"
        ) from None


def load_kafka(path: Path, mapping: Mapping) -> Kafka:
    """Read the Kafka file at *path*, whose documents *mapping* explains.

    Raises:
        KafkaSettingsError: a field is wrong; the message says which and what would be right.
        MappingError: the mapping explains other documents than these topics can hold.
    """
    kafka = read_described(path, Kafka, KafkaSettingsError, called="Kafka file", hint=_HINT)
    if mapping.format != "jsonl":
        raise MappingError(
            f"{path}: messages are JSON documents, but the mapping of '{mapping.source}' has "
            f"format {mapping.format}. Give the topics a mapping with format jsonl."
        )
    if kafka.topics.places and not mapping.places:
        raise MappingError(
            f"{path}: topics.places is '{kafka.topics.places}', but the mapping of "
            f"'{mapping.source}' has no 'places'. Add them there, or leave the topic out."
        )
    return kafka
