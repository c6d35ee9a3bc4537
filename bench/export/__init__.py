"""Masks of trained cells in the layout that others ask for. Importing the room loads nothing."""
