"""From features to a trained, exported and evaluated model."""
