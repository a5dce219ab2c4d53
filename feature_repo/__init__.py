"""Feast: definitions made from dbt's manifest, publishing to the online store, reading, parity."""

import typeguard

# Feast has its own classes rewritten by typeguard at each import, which takes two fifths of it;
# typeguard is for development, and does nothing either under `python -O`.
# Why here: docs/decisions/0004-feast-without-typeguard.md
typeguard.typechecked = lambda target: target  # type: ignore[assignment]
