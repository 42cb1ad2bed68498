package main

import (
	"log"

	"example.com/hemlock/conformance"
)

func main() {
	if len(conformance.Clauses()) == 0 {
		log.Fatal("the contract has no clauses")
	}
}
