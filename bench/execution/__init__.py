"""Doing the jobs of a run: what a job is, who may do it, the one worker, and starters of workers."""
