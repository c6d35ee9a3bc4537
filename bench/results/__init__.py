"""The run directory is the truth: its layout, its records, and their reading back as tables."""
