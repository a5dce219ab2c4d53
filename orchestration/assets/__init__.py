"""The assets, a module per stage. Each body is a few lines that call what works without Dagster."""
