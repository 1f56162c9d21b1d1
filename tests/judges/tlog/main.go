// Command tlog judges an exported ledger with the Go project's own transparency log packages.
//
// usage: tlog DIR [FILE.tlog-proof]
//
// It shares no code and no author with what wrote the export. It checks the signature, the root over all entries, and
// proofs made from the tiles for up to 1,000 entries; then the receipt, if one is given. The key is the one in the
// directory: whether it is the right one is for the reader to say, so it is printed.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) < 2 {
		fail("usage: tlog DIR [FILE.tlog-proof]")
	}
	dir := os.Args[1]
	vkey, err := os.ReadFile(filepath.Join(dir, "vkey"))
	check("vkey", err)
	verifier, err := note.NewVerifier(strings.TrimSpace(string(vkey)))
	check("vkey", err)
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	check("checkpoint", err)

	tree := openCheckpoint(signed, verifier)
	checkEntries(dir, tree)
	if len(os.Args) > 2 {
		checkReceipt(os.Args[2], verifier)
	}
	fmt.Printf("accepted: %d records, root %s, signed with %s", tree.N, tree.Hash, vkey)
}

func openCheckpoint(signed []byte, verifier note.Verifier) tlog.Tree {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	check("checkpoint", err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		fail("checkpoint: not origin, size and root of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check("checkpoint: size", err)
	root, err := tlog.ParseHash(lines[2])
	check("checkpoint: root", err)
	return tlog.Tree{N: size, Hash: root}
}

func checkEntries(dir string, tree tlog.Tree) {
	tiles := tlog.TileHashReader(tree, tileDir(dir))
	every := max(1, tree.N/1000)
	var stored []tlog.Hash // The hash tree as tlog stores it, grown from the entries alone.
	grown := tlog.HashReaderFunc(func(indexes []int64) (hashes []tlog.Hash, _ error) {
		for _, index := range indexes {
			hashes = append(hashes, stored[index])
		}
		return hashes, nil
	})
	var bundle []byte
	for n := int64(0); n < tree.N; n++ {
		if n%256 == 0 {
			bundle = readBundle(dir, n/256, min(256, tree.N-n))
		}
		leaf := bundle[2:74]
		bundle = bundle[74:]
		hashes, err := tlog.StoredHashes(n, leaf, grown)
		check("entries", err)
		stored = append(stored, hashes...)
		if n%every == 0 {
			proof, err := tlog.ProveRecord(tree.N, n, tiles)
			check(fmt.Sprintf("proof of record %d from the tiles", n), err)
			check(fmt.Sprintf("record %d", n), tlog.CheckRecord(proof, tree.N, tree.Hash, n, tlog.RecordHash(leaf)))
		}
	}
	root, err := tlog.TreeHash(tree.N, grown)
	check("root", err)
	if root != tree.Hash {
		fail("root: the entries have %s, the checkpoint says %s", root, tree.Hash)
	}
}

func readBundle(dir string, n, width int64) []byte {
	path := tlog.Tile{H: 8, L: -1, N: n, W: int(width)}.Path() // L = -1 is where sumdb keeps data: tile/8/data/...
	file := filepath.Join(dir, "tile/entries", strings.TrimPrefix(path, "tile/8/data/"))
	bundle, err := os.ReadFile(file)
	check("entries", err)
	if int64(len(bundle)) != 74*width {
		fail("%s: %d bytes, not %d", file, len(bundle), 74*width)
	}
	for at := 0; at < len(bundle); at += 74 {
		if binary.BigEndian.Uint16(bundle[at:]) != 72 {
			fail("%s: an entry is not 72 bytes long", file)
		}
	}
	return bundle
}

// A tileDir reads the tiles of an export: tlog-tiles drops the tile height that tlog's own paths have.
type tileDir string

func (tileDir) Height() int                         { return 8 }
func (tileDir) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (dir tileDir) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		bytes, err := os.ReadFile(filepath.Join(string(dir), "tile", strings.TrimPrefix(tile.Path(), "tile/8/")))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

func checkReceipt(path string, verifier note.Verifier) {
	text, err := os.ReadFile(path)
	check("receipt", err)
	head, signed, _ := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		fail("receipt: not a tlog-proof")
	}
	extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	check("receipt: extra", err)
	if len(extra) < 41+16 {
		fail("receipt: extra is too short")
	}
	leaf := extra[1:] // Of an erased record, header and digest: the leaf data itself.
	if extra[0] == 1 {
		digest := sha256.Sum256(extra[41:])
		leaf = append(extra[1:41:41], digest[:]...)
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	check("receipt: index", err)
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		check("receipt: proof", err)
		proof = append(proof, hash)
	}
	tree := openCheckpoint(signed, verifier)
	check("receipt", tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaf)))
}

func check(what string, err error) {
	if err != nil {
		fail("%s: %v", what, err)
	}
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "refused: "+format+"\n", args...)
	os.Exit(1)
}
