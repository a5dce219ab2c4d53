"""Topics of Kafka as a source: their file, the consumer, and landing what it read."""
