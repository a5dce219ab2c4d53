"""What a run leaves for people and other tools: report, analysts' copy, pages, MLflow."""
