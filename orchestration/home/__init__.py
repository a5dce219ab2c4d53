"""The home as everything else finds it: environment, lock, files, console. Knows no Dagster."""
