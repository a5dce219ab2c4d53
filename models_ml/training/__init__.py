"""One training: its batches, steps, checkpoints, devices and processes."""
