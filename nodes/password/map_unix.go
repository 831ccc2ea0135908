//go:build unix && !aix && !solaris

package password

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapBlocks takes memory from the system, and from the heap where it has none.
// The memory is zero.
func mapBlocks(n int) (blocks []block, unmap func()) {
	mem, err := unix.Mmap(-1, 0, n*int(unsafe.Sizeof(block{})), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return make([]block, n), func() {}
	}
	return unsafe.Slice((*block)(unsafe.Pointer(unsafe.SliceData(mem))), n), func() { _ = unix.Munmap(mem) } // of what Mmap gave
}
