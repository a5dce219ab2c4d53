"""The network: BERT over events, its attention, its loss, and how it is asked."""
