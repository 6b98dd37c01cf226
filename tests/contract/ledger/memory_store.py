"""The store and the high-water mark in memory, with the guarantees that the Protocols ask for; and a place to crash."""

import copy
from contextlib import contextmanager

from ledger.storage import LogHead, SequencedEntry, SignedCheckpoint, Submitted
from ledger.tlog import tile
from ledger.tlog.merkle import EMPTY_ROOT


class MemoryHighWater:
    def __init__(self):
        self.mark = None
        self.old = []

    def read(self):
        return self.mark

    def write(self, mark):
        self.mark = mark

    def set_aside(self):
        self.old.append(self.mark)
        self.mark = None


class State:
    def __init__(self):
        self.head = LogHead(0, EMPTY_ROOT, 0, 0, 0)
        self.submissions: dict[int, bytes] = {}
        self.entries: list[SequencedEntry] = []
        self.key_entries = {}
        self.tiles = {}
        self.checkpoints: list[SignedCheckpoint] = []


class MemoryStore:
    """LogStore and LogReader."""

    def __init__(self):
        self.state = State()
        self.next_id = 1

    def submit(self, statements):
        for statement in statements:
            self.state.submissions[self.next_id] = statement
            self.next_id += 1

    @contextmanager
    def write(self):
        draft = copy.deepcopy(self.state)
        yield MemoryTransaction(draft)
        self.state = draft  # not reached when the block raises: nothing of it stays

    def head(self):
        return self.state.head

    def entries(self, start, end=None):
        return iter(self.state.entries[start:end])

    def key_entries(self):
        return self.state.key_entries

    def tile_paths(self):
        return [tile.format_path(tile.TileName(*place, tile.WIDTH)) for place in self.state.tiles]

    def tiles(self, coordinates):
        return {place: self.state.tiles[place] for place in coordinates if place in self.state.tiles}

    def checkpoints(self):
        return iter(self.state.checkpoints)


class MemoryTransaction:
    def __init__(self, state):
        self.state = state

    def head(self):
        return self.state.head

    def newest_checkpoint(self):
        return self.state.checkpoints[-1] if self.state.checkpoints else None

    def key_statements(self):
        return iter([(index, self.state.entries[index].statement) for index in sorted(self.state.key_entries)])

    def waiting(self, limit):
        return [Submitted(key, self.state.submissions[key]) for key in sorted(self.state.submissions)[:limit]]

    def known(self, hashes):
        return {entry.statement_hash for entry in self.state.entries} & set(hashes)

    def tiles(self, coordinates):
        return {place: self.state.tiles[place] for place in coordinates if place in self.state.tiles}

    def append(self, batch):
        for number in batch.taken:
            del self.state.submissions[number]
        self.state.entries += batch.entries
        self.state.key_entries.update(batch.key_entries)
        self.state.tiles.update(batch.tiles)
        self.state.checkpoints.append(batch.checkpoint)
        signed, head = batch.checkpoint, self.state.head
        self.state.head = LogHead(signed.size, signed.root, signed.time_ms, head.published_size, head.published_time_ms)

    def publish(self):
        head = self.state.head
        self.state.head = LogHead(head.size, head.root, head.time_ms, head.size, head.time_ms)
