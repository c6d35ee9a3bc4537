"""What a loss does, found out by running it: at the truth, on empty patches, in bf16, down its own gradient.

    losses.self_check.report.check("map_dice").findings

One probe per file, each a function from a `Subject` to a `Finding`. Sentences are composed from what was measured.
Everything here is small and deterministic: two classes, one thread is enough, some seconds per loss.
"""
