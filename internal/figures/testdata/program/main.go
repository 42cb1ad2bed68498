// Program prints the commit that the linker has set.
package main

import (
	"fmt"

	"example.com/hemlock/internal/figures"
)

func main() { fmt.Println(figures.Commit()) }
