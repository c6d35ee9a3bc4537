"""Data: formats, splits, preparation, patches. Importing the room loads nothing."""
