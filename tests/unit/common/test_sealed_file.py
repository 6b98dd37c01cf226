"""The backup's container: what was written comes back, and nothing else does."""

import io
import os
import zlib

import pytest
from nacl import bindings

from traceability.common.backup import sealed_file
from traceability.common.backup.sealed_file import BackupError

KEY, OTHER = b"\1" * 32, b"\2" * 32
MESSAGES = [b"first", b"", os.urandom(70_000), b"last"]


def written(messages=MESSAGES, key=KEY):
    file = io.BytesIO()
    writer = sealed_file.Writer(file, key)
    for place, message in enumerate(messages, start=1):
        writer.write(message, final=place == len(messages))
    return file.getvalue()


def read(data, key=KEY):
    return list(sealed_file.read(io.BytesIO(data), key))


def frames(data):
    """The parts of a file: what comes before the frames, then each frame with its length."""
    place = len(sealed_file.MAGIC) + 8 + 24
    found = [data[:place]]
    while place < len(data):
        end = place + 4 + int.from_bytes(data[place : place + 4], "big")
        found.append(data[place:end])
        place = end
    return found


def test_messages_come_back():
    assert read(written()) == MESSAGES
    assert b"first" not in written()


def test_equal_messages_make_different_files():
    assert written() != written()


def test_another_key_is_told_from_a_changed_file():
    with pytest.raises(BackupError, match="another key"):
        read(written(), OTHER)


def test_every_flipped_bit_shows():
    data = written([b"one", b"two", b"three"])
    for place in range(len(data)):
        for bit in (1, 128):
            changed = bytearray(data)
            changed[place] ^= bit
            with pytest.raises(BackupError):
                read(bytes(changed))


def test_every_cut_shows():
    data = written([b"one", b"two", b"three"])
    for length in range(len(data)):
        with pytest.raises(BackupError):
            read(data[:length])
    with pytest.raises(BackupError, match="follows the backup's end"):
        read(data + b"x")


def test_frames_left_out_doubled_moved_or_from_another_file_show():
    head, *parts = frames(written())
    _, *others = frames(written())
    for changed in (
        [parts[0], *parts[2:]],
        [parts[0], parts[0], *parts[1:]],
        [parts[1], parts[0], *parts[2:]],
        [*parts[:-1], others[-1]],
        others,
    ):
        with pytest.raises(BackupError):
            read(b"".join([head, *changed]))


def test_without_the_final_tag_a_cut_at_a_frame_would_pass():
    """Negative control: the same frames under MESSAGE only; a reader that goes by the file's end takes the half."""
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    header = bindings.crypto_secretstream_xchacha20poly1305_init_push(state, KEY)
    packed = [
        bindings.crypto_secretstream_xchacha20poly1305_push(state, zlib.compress(message)) for message in MESSAGES
    ]
    again = bindings.crypto_secretstream_xchacha20poly1305_state()
    bindings.crypto_secretstream_xchacha20poly1305_init_pull(again, header, KEY)
    half = [bindings.crypto_secretstream_xchacha20poly1305_pull(again, frame) for frame in packed[:2]]
    assert [zlib.decompress(message) for message, _ in half] == MESSAGES[:2]


def test_a_key_file_is_its_owners_and_is_not_written_over(tmp_path):
    path = tmp_path / "key"
    sealed_file.create_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(sealed_file.read_key(path)) == 32
    with pytest.raises(FileExistsError):
        sealed_file.create_key(path)
    path.chmod(0o640)
    with pytest.raises(BackupError, match="chmod 600"):
        sealed_file.read_key(path)


@pytest.mark.parametrize("text", ["", "x\n", "dosetrail-backup-key/1\n00\n", "other/1\n" + "0" * 64, "a\nb\nc\n"])
def test_what_is_no_key_file_is_refused(tmp_path, text):
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(BackupError, match="no backup key"):
        sealed_file.read_key(path)
