"""The one error that ends the benchmark with a line for a person."""


class BenchError(Exception):
    """What went wrong and what to do about it, in one line."""
