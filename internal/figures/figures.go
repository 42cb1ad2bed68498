// Package figures holds what the reports of the benchmarks have in common: where the
// figures are from, how rounds are summarized and numbers written, the files of the
// raw results, and the tables that are copied into other documents.
package figures

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// Pack returns the value as compressed JSON, for a file with a name that ends in .gz.
func Pack(value any) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := json.NewEncoder(z).Encode(value); err != nil {
		return nil, err
	}
	err := z.Close()
	return b.Bytes(), err
}

// Read reads a file of JSON, which is compressed if its name ends in .gz.
func Read(name string, into any) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	var from io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if from, err = gzip.NewReader(file); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := json.NewDecoder(from).Decode(into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Block returns a table and where it is from, between the marks that tools/figures
// looks for.
func Block(name, table string, origins ...string) string {
	for i := range origins {
		origins[i] = wrap(origins[i])
	}
	return fmt.Sprintf("<!-- figures: %s -->\n%s\n\n%s\n<!-- end of figures -->\n", name, table, strings.Join(origins, "\n\n"))
}

// wrap breaks the lines of a text between its words.
func wrap(text string) string {
	const width = 110
	var b strings.Builder
	length := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case length+1+len(word) > width:
			b.WriteByte('\n')
			length = 0
		default:
			b.WriteByte(' ')
			length++
		}
		b.WriteString(word)
		length += len(word)
	}
	return b.String()
}
