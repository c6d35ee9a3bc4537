"""Training a method under a fixed budget: loop, schedule, checkpoints, digests. Knows `models.Method`, no loss by name."""
