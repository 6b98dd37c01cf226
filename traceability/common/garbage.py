"""Garbage collection of processes that run for long."""

import gc


def leave_out_what_is_loaded() -> None:
    """Keep what the process has loaded out of all collections to come.

    It is never garbage, and a full collection walks hundreds of thousands of its objects: every few hundred events of
    a document, a tenth of the time that capturing them takes (measured by the documents of bench/peers).
    """
    gc.collect()
    gc.freeze()
