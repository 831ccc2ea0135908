package memory_test

import (
	"testing"

	"sluice/nodes"
	"sluice/nodes/memory"
	"sluice/nodes/nodestest"
)

func TestMemory(t *testing.T) {
	nodestest.Stores(t, func(*testing.T) nodes.Stores { return memory.New() })
}
