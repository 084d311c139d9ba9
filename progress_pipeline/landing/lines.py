"""Splits a stream of bytes into lines, without ever holding more than one line that is not too long.

`bytes.splitlines` and text mode also cut at other characters; here a line ends at a newline and nowhere else.
"""

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

LARGEST_LINE = 128 * 1024 * 1024
"""Bytes of the longest line that is read: the largest body, escaped."""
BLOCK = 1024 * 1024
"""Bytes that are read at once where lines are taken together."""


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line less its newline: its number from 1, where it stands (with its newline), and whether it ended."""

    number: int
    start: int
    end: int
    content: bytes
    is_ended: bool
    is_too_long: bool = False


def split_lines(stream: BinaryIO, *, largest: int = LARGEST_LINE) -> Iterator[Line]:
    """Give the lines of a stream; of one that is too long only its first bytes, and the rest is passed over."""
    number = start = 0
    while content := stream.readline(largest + 1):
        number += 1
        length = len(content)
        is_ended = content.endswith(b"\n")
        is_too_long = not is_ended and length > largest
        while not is_ended and length > largest and (more := stream.readline(largest)):
            length += len(more)
            is_ended = more.endswith(b"\n")
        end = start + length
        if is_too_long:
            yield Line(number, start, end, content[:1000], is_ended, is_too_long=True)
        else:
            yield Line(number, start, end, content[:-1] if is_ended else content, is_ended)
        start = end


class Block(msgspec.Struct, frozen=True, gc=False):
    """Whole lines that stand one after the other, newlines and all, and the number of the first."""

    number: int
    content: bytes


def split_blocks(stream: BinaryIO, *, size: int = BLOCK, largest: int = LARGEST_LINE) -> Iterator[Block | Line]:
    """Give the lines of a stream that can seek, many together; alone a line that fills a block, or has no newline."""
    number, at = 1, stream.tell()
    while chunk := stream.read(size):
        length = chunk.rfind(b"\n") + 1
        if length:
            yield Block(number, chunk[:length])
            number, at = number + chunk.count(b"\n"), at + length
            stream.seek(at)
            continue
        stream.seek(at)
        line = next(split_lines(stream, largest=largest))
        yield Line(number, at, at + line.end, line.content, line.is_ended, line.is_too_long)
        number, at = number + 1, at + line.end
