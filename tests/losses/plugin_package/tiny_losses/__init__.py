"""A loss and a target map for imbalance-bench."""
