"""Features registered with Feast and published to the online store."""
