"""The built-in target maps: one file each, its stem is the name. Nothing here is imported before it is asked for."""
