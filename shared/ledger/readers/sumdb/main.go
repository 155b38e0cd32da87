// Checks a log's folder with the code of the Go checksum database: go run main.go FOLDER KEYS
// The newest checkpoint's signature, the tree's root from the tiles, and every entry of the bundles against its leaf.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder string

func (f folder) Height() int                      { return 8 }
func (f folder) SaveTiles([]tlog.Tile, [][]byte)  {}
func (f folder) file(name string) ([]byte, error) { return os.ReadFile(filepath.Join(string(f), name)) }
func (f folder) ReadTiles(tiles []tlog.Tile) (all [][]byte, err error) {
	for _, t := range tiles { // Go names the height, tile/8/L/N; C2SP does not, tile/L/N
		data, err := f.file(strings.Replace(t.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func check(err error) {
	if err != nil {
		log.Fatal("FAIL: ", err)
	}
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		fmt.Println("NOT CHECKED: expected a log's folder, and a file of keys that you have from elsewhere")
		os.Exit(2)
	}
	vkeys, err := os.ReadFile(os.Args[2])
	check(err)
	var trusted []note.Verifier
	for _, vkey := range strings.Fields(string(vkeys)) {
		verifier, err := note.NewVerifier(vkey)
		check(err)
		trusted = append(trusted, verifier)
	}
	f := folder(os.Args[1])
	signed, err := f.file("checkpoint")
	if errors.Is(err, os.ErrNotExist) {
		fmt.Println("NOT CHECKED: no checkpoint")
		os.Exit(2)
	}
	check(err)
	opened, err := note.Open(signed, note.VerifierList(trusted...))
	check(err)
	var origin, root string
	var tree tlog.Tree
	_, err = fmt.Sscanf(opened.Text, "%s\n%d\n%s\n", &origin, &tree.N, &root)
	check(err)
	tree.Hash, err = tlog.ParseHash(root)
	check(err)
	if origin != opened.Sigs[0].Name || opened.Text != fmt.Sprintf("%s\n%d\n%s\n", origin, tree.N, tree.Hash) {
		log.Fatal("FAIL: not a checkpoint of ", opened.Sigs[0].Name)
	}
	hashes := tlog.TileHashReader(tree, f) // checks every tile it reads against the root
	for first := int64(0); first < tree.N; first += 256 {
		width := tree.N - first
		if width > 256 {
			width = 256
		}
		path := tlog.Tile{H: 8, L: 0, N: first / 256, W: int(width)}.Path()
		bundle, err := f.file(strings.Replace(path, "tile/8/0/", "tile/entries/", 1))
		check(err)
		for i := first; i < first+width; i++ {
			leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, i)})
			check(err)
			if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
				log.Fatal("FAIL: ", path, " ends inside entry ", i)
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			if tlog.RecordHash(bundle[2:end]) != leaf[0] {
				log.Fatal("FAIL: entry ", i, " is not the one in the tree")
			}
			bundle = bundle[end:]
		}
		if len(bundle) > 0 {
			log.Fatal("FAIL: more entries in ", path, " than in the tree")
		}
	}
	fmt.Printf("PASS\n  log: %s\n  entries: %d\n", origin, tree.N)
}
