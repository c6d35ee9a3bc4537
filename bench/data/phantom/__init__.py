"""A generated stand-in for liver CT with tumours: `generate(index, settings)`."""
