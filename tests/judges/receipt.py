"""Goes from a value to the signed root, by hand: the standard library, and openssl for the signature.

usage: python3 receipt.py FILE.tlog-proof VKEY [VALUE]

VALUE is JSON as the record's body holds it, such as '"Fancy Bear"'; it must be somewhere in that body.
"""

import base64, hashlib, subprocess, sys, tempfile

sha256 = lambda *parts: hashlib.sha256(b"".join(parts)).digest()
want = lambda true, what: true or sys.exit(f"refused: {what}")


def decode(text):
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        sys.exit(f"refused: not base64: {text[:80]}")


head, checkpoint, signatures = open(sys.argv[1], newline="").read().split("\n\n")
magic, extra, index, *path = head.split("\n")
want(magic == "c2sp.org/tlog-proof@v1" and extra.startswith("extra ") and index.startswith("index "), "not a receipt")
extra, index, path = decode(extra[6:]), int(index[6:]), [decode(line) for line in path]

kept, header, rest = extra[0], extra[1:41], extra[41:]  # rest: salt (16) and body, or the digest of an erased body
value = sys.argv[3].encode() if len(sys.argv) > 3 else b""
want(value in rest[16:] and (kept or not value), "the record's body does not hold the value")
digest = sha256(rest) if kept else rest
print(f"digest  {digest.hex()}  = SHA-256(salt || body of {len(rest) - 16} bytes)" if kept else f"digest  {digest.hex()}  (erased)")

origin, size, root = checkpoint.split("\n")
node, last, hash = index, int(size) - 1, sha256(b"\0", header, digest)
want(0 <= node <= last, "the index is beyond the tree")
print(f"leaf    {hash.hex()}  = SHA-256(0x00 || header || digest), record {index} of {size}")
while last > 0:
    if node % 2 or node < last:  # an uneven level's last node has no sibling, and goes up as it is
        want(path, "the path is too short")
        hash = sha256(b"\1", path[0], hash) if node % 2 else sha256(b"\1", hash, path[0])
        print(f"node    {hash.hex()}  with {path.pop(0).hex()[:16]}... on its {'left' if node % 2 else 'right'}")
    node, last = node // 2, last // 2
want(not path and hash == decode(root), "the path does not lead to the root of the checkpoint")
print(f"root    {root}  in the checkpoint of {origin}")

name, key_id, key = sys.argv[2].strip().split("+", 2)
want(name == origin, f"the checkpoint is of {origin}, the key of {name}")
lines = [line.split(" ") for line in signatures.splitlines()]
mine = [sig for dash, by, sig in lines if by == name and decode(sig)[:4].hex() == key_id]
want(mine, "the key has not signed")
files = [tempfile.NamedTemporaryFile() for _ in range(3)]
public = bytes.fromhex("302a300506032b6570032100") + decode(key)[1:]  # RFC 8410: an Ed25519 key in DER
for file, data in zip(files, [public, (checkpoint + "\n").encode(), decode(mine[0])[4:]]):
    file.write(data), file.flush()
command = "openssl pkeyutl -verify -pubin -keyform DER -inkey {} -rawin -in {} -sigfile {}"
done = subprocess.run(command.format(*(file.name for file in files)).split(), capture_output=True, text=True)
want(done.returncode == 0, f"signature: {done.stdout}{done.stderr}")
print(f"signed  by {sys.argv[2].strip()}")
