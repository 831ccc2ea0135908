package password

import (
	"encoding/binary"
	_ "unsafe" // for go:linkname

	"golang.org/x/crypto/blake2b"
)

// A block is the unit of argon2's memory, 1 KiB.
type block [128]uint64

// argon2id is the mode of argon2 that is used, as RFC 9106 numbers it.
const argon2id = 2

// parts is how many parts a pass over a lane has.
const parts = 4

// idKey is argon2.IDKey with memory that is given instead of allocated: blocks
// are as many as blocksOf says, all zero, and are left as they are at the end.
func idKey(blocks []block, password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte {
	n, lanes := uint32(len(blocks)), uint32(threads)
	h0 := initHash(password, salt, nil, nil, time, memory, lanes, keyLen, argon2id)
	var first [1024]byte
	for lane := range lanes {
		binary.LittleEndian.PutUint32(h0[blake2b.Size+4:], lane)
		for i := range uint32(2) {
			binary.LittleEndian.PutUint32(h0[blake2b.Size:], i)
			blake2bHash(first[:], h0[:])
			for word := range blocks[0] {
				blocks[lane*(n/lanes)+i][word] = binary.LittleEndian.Uint64(first[word*8:])
			}
		}
	}
	processBlocks(blocks, time, n, lanes, argon2id)
	return extractKey(blocks, n, lanes, keyLen)
}

// blocksOf returns how many blocks argon2 uses of a memory, in KiB.
func blocksOf(memory uint32, threads uint8) int {
	unit := parts * uint32(threads)
	return int(max(memory/unit*unit, 2*unit))
}

// The steps of argon2 are those of golang.org/x/crypto/argon2, which has them in
// assembly but gives no way to hand it memory: it takes 19 MiB from the heap for
// each hash, and what a flood of sign-ins leaves for the collector is many times
// what it uses. Where a later release of that package names them otherwise, the
// program does not link, and where they do something else,
// TestKeysAreThoseOfArgon2 fails.

//go:linkname initHash golang.org/x/crypto/argon2.initHash
func initHash(password, salt, key, data []byte, time, memory, threads, keyLen uint32, mode int) [blake2b.Size + 8]byte

//go:linkname blake2bHash golang.org/x/crypto/argon2.blake2bHash
func blake2bHash(out, in []byte)

//go:linkname processBlocks golang.org/x/crypto/argon2.processBlocks
func processBlocks(blocks []block, time, memory, threads uint32, mode int)

//go:linkname extractKey golang.org/x/crypto/argon2.extractKey
func extractKey(blocks []block, memory, threads, keyLen uint32) []byte
