"""Built-in metric families: one file each, the file's stem is the family's name."""
