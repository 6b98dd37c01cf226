"""One error tree for everything that can be wrong with a log's objects; the text says what, and where."""


class TlogError(Exception):
    """Base of all errors of this package: the object at hand must not be trusted."""


class ProofError(TlogError):
    """An inclusion or consistency proof does not prove what it should."""


class TileError(TlogError):
    """A tile or entry bundle has a wrong shape, or its coordinates are not spelled as the specification says."""


class NoteError(TlogError):
    """A signed note, verifier key or signature is malformed or does not verify."""


class CheckpointError(TlogError):
    """A checkpoint's text is not the one spelling of an origin, a size and a root."""


class EmptyRootError(CheckpointError):
    """A checkpoint of size 0 whose root is not that of the empty tree: well spelled, and no tree."""


class PolicyError(TlogError):
    """A trust policy is malformed; the text names the line."""
