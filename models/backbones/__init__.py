"""The built-in backbones: one file each, its stem is the name. Nothing here is imported before it is asked for."""
