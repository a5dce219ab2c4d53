"""What a Dagster step is given: its home, its lines on the terminal, its costs, its end."""
