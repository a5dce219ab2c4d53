"""Feast: definitions made from dbt's manifest, publishing to the online store, reading, parity."""
