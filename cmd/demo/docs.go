package demo

import (
	"encoding/json"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"
)

var docsPage = template.Must(template.New("docs.html").Funcs(template.FuncMap{"upper": strings.ToUpper}).ParseFS(files, "assets/docs.html"))

// apiDoc is what is shown of an OpenAPI document.
type apiDoc struct {
	Name  string
	Title string
	About [][]span
	Ops   []apiOp
	Types []apiType
}

type apiOp struct {
	Method, Path, ID, Summary, About string
	Parameters                       []apiField
	Body, Answer                     string // names of types
}

type apiType struct {
	Name, About string
	Fields      []apiField
}

type apiField struct {
	Name, In, Type, About, Link string
	Required                    bool
}

// docs answers with a page that explains a service's API, made of its OpenAPI document.
func (d *demo) docs(service string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q, err := http.NewRequestWithContext(r.Context(), http.MethodGet, d.service(service).JoinPath("openapi.json").String(), nil)
		var a *http.Response
		if err == nil {
			a, err = http.DefaultClient.Do(q)
		}
		var doc apiDoc
		if err == nil {
			doc, err = readDoc(service, io.LimitReader(a.Body, 4<<20))
			_ = a.Body.Close() // it was read
		}
		if err != nil {
			d.Log.Warn("an API's document could not be read", "service", service, "error", err)
			http.Error(w, "the document cannot be read just now", http.StatusServiceUnavailable)
			return
		}
		safely(w)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := docsPage.ExecuteTemplate(w, "docs.html", doc); err != nil && r.Context().Err() == nil {
			d.Log.Warn("an API's page could not be sent", "error", err)
		}
	}
}

type node = map[string]any

// readDoc reads an OpenAPI document.
func readDoc(name string, from io.Reader) (apiDoc, error) {
	var raw node
	if err := json.NewDecoder(from).Decode(&raw); err != nil {
		return apiDoc{}, err
	}
	b := docBuilder{raw}
	info := b.object(raw, "info")
	doc := apiDoc{Name: name, Title: text(info, "title")}
	for p := range strings.SplitSeq(text(info, "description"), "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			doc.About = append(doc.About, spans(p))
		}
	}
	paths := b.object(raw, "paths")
	for _, path := range sortedKeys(paths) {
		item := b.object(paths, path)
		for _, method := range []string{"get", "post", "put", "patch", "delete"} {
			if op := b.object(item, method); op != nil {
				doc.Ops = append(doc.Ops, b.operation(method, path, item, op))
			}
		}
	}
	schemas := b.object(b.object(raw, "components"), "schemas")
	for _, name := range sortedKeys(schemas) {
		s := b.object(schemas, name)
		t := apiType{Name: name, About: text(s, "description")}
		if fields := b.object(s, "properties"); fields != nil {
			t.Fields = b.fields(s, fields)
		} else if t.About == "" {
			t.About, _ = b.kind(s)
		}
		doc.Types = append(doc.Types, t)
	}
	return doc, nil
}

// span is a piece of text, or of code.
type span struct {
	Text string
	Code bool
}

// spans reads a paragraph of Markdown as far as our own documents go: code stands in backquotes.
func spans(paragraph string) []span {
	var all []span
	plain := strings.ReplaceAll(strings.ReplaceAll(paragraph, "**", ""), "\n", " ")
	for i, part := range strings.Split(plain, "`") {
		all = append(all, span{part, i%2 == 1})
	}
	return all
}

// docBuilder looks things up in a document.
type docBuilder struct{ root node }

// object returns a part of a node, wherever it is written.
func (b docBuilder) object(of node, key string) node {
	part, _ := of[key].(node)
	return b.follow(part)
}

func (b docBuilder) follow(n node) node {
	ref := text(n, "$ref")
	if ref == "" {
		return n
	}
	to := b.root
	for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		to, _ = to[step].(node)
	}
	return to
}

func (b docBuilder) operation(method, path string, item, op node) apiOp {
	o := apiOp{Method: method, Path: path, ID: text(op, "operationId"), Summary: text(op, "summary"), About: text(op, "description")}
	for _, from := range []node{item, op} {
		list, _ := from["parameters"].([]any)
		for _, one := range list {
			p, _ := one.(node)
			p = b.follow(p)
			kind, link := b.kind(b.raw(p, "schema"))
			required, _ := p["required"].(bool)
			o.Parameters = append(o.Parameters, apiField{Name: text(p, "name"), In: text(p, "in"), Type: kind, Link: link, About: text(p, "description"), Required: required})
		}
	}
	o.Body = b.content(b.object(op, "requestBody"))
	answers := b.object(op, "responses")
	for _, status := range sortedKeys(answers) {
		if strings.HasPrefix(status, "2") && o.Answer == "" {
			o.Answer = b.content(b.object(answers, status))
		}
	}
	return o
}

// raw returns a part of a node as it is written there.
func (b docBuilder) raw(of node, key string) node {
	part, _ := of[key].(node)
	return part
}

// content names the type of a body.
func (b docBuilder) content(of node) string {
	all := b.object(of, "content")
	if body := b.object(all, "application/json"); body != nil {
		name, _ := b.kind(b.raw(body, "schema"))
		return name
	}
	return strings.Join(sortedKeys(all), ", ")
}

// kind names a schema, and the type to look at for more.
func (b docBuilder) kind(s node) (name, link string) {
	if ref := text(s, "$ref"); ref != "" {
		name = ref[strings.LastIndex(ref, "/")+1:]
		return name, name
	}
	switch t := text(s, "type"); {
	case t == "array":
		name, link = b.kind(b.raw(s, "items"))
		return "list of " + name, link
	case s["enum"] != nil:
		var words []string
		list, _ := s["enum"].([]any)
		for _, w := range list {
			if word, ok := w.(string); ok {
				words = append(words, word)
			}
		}
		return strings.Join(words, " | "), ""
	default:
		return t, ""
	}
}

func (b docBuilder) fields(of, fields node) []apiField {
	var needed []string
	list, _ := of["required"].([]any)
	for _, one := range list {
		if name, ok := one.(string); ok {
			needed = append(needed, name)
		}
	}
	var all []apiField
	for _, name := range sortedKeys(fields) {
		s := b.raw(fields, name)
		kind, link := b.kind(s)
		all = append(all, apiField{Name: name, Type: kind, Link: link, About: text(s, "description"), Required: slices.Contains(needed, name)})
	}
	return all
}

func text(of node, key string) string {
	s, _ := of[key].(string)
	return s
}

func sortedKeys(n node) []string {
	keys := make([]string, 0, len(n))
	for k := range n {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
