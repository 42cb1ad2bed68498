// Program prints the commit that the linker has set.
package main

import (
	"fmt"

	"example.com/hemlock/bench/internal/figures"
)

func main() { fmt.Println(figures.Commit()) }
