"""What a model has to beat: methods that count, and how they are fitted and tuned."""
