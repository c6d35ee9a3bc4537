"""One file per command; each holds a function `command` (or a group `app`) and imports what it needs when called."""
