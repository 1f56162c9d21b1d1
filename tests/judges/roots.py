"""Judges an exported ledger with pymerkle: do the entries have the root that the checkpoint names?

usage: python3 roots.py DIR

Whether the checkpoint is signed is not asked here; the judge in tlog/ does that.
"""

import base64
import pathlib
import sys

import pymerkle


def entries(tile, size):
    """Yields the entries of all bundles: each a big-endian length of two bytes, then the data."""
    for start in range(0, size, 256):
        width = min(256, size - start)
        groups = f"{start // 256:,}".replace(",", "/").split("/")
        groups = [group.zfill(3) for group in groups]
        name = "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
        path = tile / "entries" / (name if width == 256 else f"{name}.p/{width}")
        data, at = path.read_bytes(), 0
        for _ in range(width):
            length = int.from_bytes(data[at : at + 2], "big")
            entry = data[at + 2 : at + 2 + length]
            if len(entry) != length or length == 0:
                sys.exit(f"refused: {path} is cut short")
            yield entry
            at += 2 + length
        if at != len(data):
            sys.exit(f"refused: {path} is too long")


def main():
    directory = pathlib.Path(sys.argv[1])
    origin, size, root = (directory / "checkpoint").read_text().split("\n")[:3]
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in entries(directory / "tile", int(size)):
        tree.append_entry(entry)
    computed = base64.b64encode(tree.get_state()).decode()
    if computed != root:
        sys.exit(f"refused: the entries have the root {computed}, the checkpoint says {root}")
    print(f"accepted: {origin}, {size} records, root {root}")


main()
