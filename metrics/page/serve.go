package page

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
)

var (
	//go:embed page.html
	markup string
	//go:embed page.css
	styles string
	//go:embed page.js
	script string

	document = template.Must(template.New("page").Parse(markup))
)

// ServeHTTP answers with the page. The query's format is that of the answer:
// html, the default, or json, for programs. It implements [http.Handler].
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !p.guard.admits(r.Host) {
		refuse(w, r.Host)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "hemlock: the page can only be read", http.StatusMethodNotAllowed)
		return
	}
	switch r.URL.Query().Get("format") {
	case "", "html":
		p.serveHTML(w, "page")
	case "contents": // for the script of the page
		p.serveHTML(w, "contents")
	case "json":
		p.serveJSON(w)
	default:
		http.Error(w, "hemlock: unknown format: want html or json", http.StatusBadRequest)
	}
}

func (p *Page) serveHTML(w http.ResponseWriter, part string) {
	data := p.screen()
	data.Nonce, data.Styles, data.Script = rand.Text(), template.CSS(styles), template.JS(script)
	var page bytes.Buffer
	if err := document.ExecuteTemplate(&page, part, data); err != nil {
		http.Error(w, "hemlock: bug: "+err.Error(), http.StatusInternalServerError)
		return
	}
	setHeader(w, "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; connect-src 'self'; img-src data:; "+
		"script-src 'nonce-"+data.Nonce+"'; style-src 'nonce-"+data.Nonce+"'; "+
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	_, _ = w.Write(page.Bytes())
}

func (p *Page) serveJSON(w http.ResponseWriter) {
	body, err := json.Marshal(p.report())
	if err != nil {
		http.Error(w, "hemlock: bug: "+err.Error(), http.StatusInternalServerError)
		return
	}
	setHeader(w, "application/json; charset=utf-8")
	_, _ = w.Write(append(body, '\n'))
}

func setHeader(w http.ResponseWriter, kind string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}
