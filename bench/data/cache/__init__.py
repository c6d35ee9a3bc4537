"""Preprocessed cases on disk, shared by every cell, worker, run and suite: sealed folders of named arrays."""
