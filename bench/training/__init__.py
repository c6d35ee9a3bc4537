"""Training a method under a fixed budget: loop, schedule, checkpoints, digests. Knows no loss by name."""
