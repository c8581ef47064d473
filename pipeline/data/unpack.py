"""The canonical CSV in a snapshot, without the libraries that tables need."""

import gzip
import zlib


def unpacked(packed: bytes) -> bytes:
    """Return the canonical CSV of a snapshot; nothing if the file is damaged."""
    try:
        return gzip.decompress(packed)
    except (OSError, EOFError, zlib.error):
        return b""
