// Package page shows hemlock pools to a person: one page with figures, plots of
// the last ten minutes, and a sentence that says what each pool is doing.
//
//	options := page.Defaults()
//	pages, err := page.Handler(page.Pool{Name: "dns", Pool: pool, Options: &options})
//	mux.Handle("/debug/hemlock", pages)
//	go pages.Sample(ctx) // optional: without it the plots begin when the page is opened
//
// The page is one document, and loads nothing else, from this host or another. Once a
// second, while it is in view, it asks for its own new contents. Without scripts the
// browser loads it again every five seconds. With ?format=json it is a JSON document
// with the same figures.
//
// # Access
//
// A page on a loopback address is open to every web site that its user visits: a site
// can have its own name resolve to 127.0.0.1 and read what is served there. So the page
// answers only to requests whose Host is localhost or a loopback address, with any
// port. [Page.Allow] names other hosts. That is no authentication: a client that
// reaches the page under such a name sees it.
//
// # Options
//
// A pool does not tell the options it was made with, so the page shows, and computes
// with, those in [Pool.Options]. Without them it says that it was not told.
//
// # Costs
//
// A snapshot of a pool takes well under a microsecond, and nothing is allocated for it.
// Nothing runs while the page is not open, except [Page.Sample] where the caller
// started it. The page holds some 60 KiB for each pool, and keeps the pool in memory.
package page
