package nodestest

import (
	"testing"

	"sluice/nodes"
)

func TestMemory(t *testing.T) {
	Stores(t, func(*testing.T) nodes.Stores { return Memory() })
}
