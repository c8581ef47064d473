"""Ways to compress a body, each with the name that its header has."""

import gzip
import zlib
from collections.abc import Callable


def raw_deflate(content: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    beginning = compressor.compress(content)
    return beginning + compressor.flush()


def in_two_members(content: bytes) -> bytes:
    first = gzip.compress(content[:20])
    second = gzip.compress(content[20:])
    return first + second


COMPRESSED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "upper case": ("GZIP", gzip.compress),
    "old name": ("x-gzip", gzip.compress),
    "members": ("gzip", in_two_members),
    "beside identity": ("identity, gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "identity": ("identity", bytes),
    "empty": ("", bytes),
}
