"""What each method costs: timed steps, peak memory, inference and parameters. Importing the room loads nothing."""
