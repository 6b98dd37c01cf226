"""A whole log in memory, signed by a key that the test holds, so that it can lie in every way a log can."""

from ledger import keyring
from ledger import statement as statements
from ledger.follower import UnreachableError
from ledger.statement import Header
from ledger.tlog import checkpoint, merkle, note, tile
from ledger.tlog.tile import ENTRIES

LOG_SEED = b"\1" * 32
ORIGIN = "log.example/one"
LOG = note.Verifier(ORIGIN, bytes(note.SigningKey(LOG_SEED).verify_key))
ROOT_KEY = statements.key_from_seed(b"\2" * 32)
PARTY_KEY = statements.key_from_seed(b"\3" * 32)
STRANGER_KEY = statements.key_from_seed(b"\5" * 32)
OPERATOR = "urn:dosetrail:operator"
PARTY = "urn:dosetrail:party:acme"
POLICY = f"log {LOG}\nquorum none\n"


def genesis():
    content = keyring.genesis(origin=ORIGIN, operator_name="x", root=ROOT_KEY.public, registrars=[ROOT_KEY.public])
    return statements.sign(Header("genesis", OPERATOR, ROOT_KEY.kid, 0), content, key=ROOT_KEY)


def registration():
    content = keyring.registration(public=PARTY_KEY.public, party=PARTY)
    return statements.sign(Header("key-registered", OPERATOR, ROOT_KEY.kid, 0), content, key=ROOT_KEY)


def event(number, key=PARTY_KEY, iss=PARTY):
    return statements.sign(Header("event", iss, key.kid, 0), number.to_bytes(32, "big"), key=key)


class LyingLog:
    """Remote. Honest until a test changes what it serves."""

    def __init__(self, size=0, entries=None):
        self.all = list(entries) if entries else [genesis(), registration()]
        while len(self.all) < size:
            self.all.append(event(len(self.all)))
        self.size = len(self.all)
        self.served = {}  # TileName -> bytes that are served instead
        self.note = None
        self.down = False
        self.asked = []

    def grow(self, size):
        while len(self.all) < size:
            self.all.append(event(len(self.all)))
        self.size = size

    @property
    def leaves(self):
        return [merkle.leaf_hash(entry) for entry in self.all[: self.size]]

    def signed(self, *, size=None, root=None, seed=LOG_SEED, origin=ORIGIN):
        size = self.size if size is None else size
        root = merkle.root_of(self.leaves[:size]) if root is None else root
        return note.sign(checkpoint.Checkpoint(origin, size, root).text(), name=origin, seed=seed)

    def checkpoint(self):
        if self.down:
            raise UnreachableError("down")
        return (self.note or self.signed()).encode()

    def tile(self, name):
        self.asked.append(name)
        if self.down:
            raise UnreachableError("down")
        if name in self.served:
            return self.served[name]
        if name.level == ENTRIES:
            return tile.pack_bundle(self.all[name.number * 256 : name.number * 256 + name.width])
        tiles = tile.extend(0, {}, self.leaves)
        return tiles[name.level, name.number][: name.width * 32]
