"""Dagster and the command line: landing, assets, checks, schedules, settings."""
