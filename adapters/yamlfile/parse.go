package yamlfile

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parse reads the text's syntax. It refuses what the parser could not bear before
// the parser sees it.
func (d *Document) parse(text string) (ast.Node, error) {
	if len(d.lines) > MaxLines {
		return nil, d.errorAt(spot{MaxLines, 1}, "", fmt.Errorf("%d lines; want at most %d", len(d.lines), MaxLines))
	}
	if err := d.checkLines(); err != nil {
		return nil, err
	}
	tokens := lexer.Tokenize(text)
	if err := d.checkTokens(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // builder reports duplicates, with both lines
	if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok {
		return nil, d.errorAt(where(syntax.Token), "", errors.New(syntax.Message))
	}
	if err != nil {
		return nil, d.errorAt(spot{1, 1}, "", err)
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			return nil, d.errorAt(where(doc.Body.GetToken()), "", errors.New("a second document; want one in a file"))
		}
		body = doc.Body
	}
	return body, nil
}

// checkLines refuses what is not text. A lone carriage return would be a line
// for the parser and none for the reader.
func (d *Document) checkLines() error {
	for i, line := range d.lines {
		if !utf8.ValidString(line) {
			return d.errorAt(spot{i + 1, 1}, "", errors.New("not UTF-8; want text saved as UTF-8"))
		}
		if strings.Contains(line, "\r") {
			return d.errorAt(spot{i + 1, 1}, "", errors.New("a carriage return within the line; want lines that end in a line feed"))
		}
	}
	return nil
}

// refused lists what of YAML is not read, and what to write instead. Aliases are the way
// to make a small file huge; tags turn values into others.
var refused = map[token.Type]string{
	token.AnchorType:     "anchors are not read; write the value out",
	token.AliasType:      "aliases are not read; write the value out, or put text that begins with * in quotes",
	token.MergeKeyType:   "merge keys are not read; write the values out",
	token.TagType:        "tags are not read; put text that begins with ! in quotes",
	token.DirectiveType:  "directives are not read; put text that begins with % in quotes",
	token.MappingKeyType: "keys marked with ? are not read; write 'key: value', or put text that begins with ? in quotes",
}

// checkTokens refuses what is not read, and nesting that a recursive parser
// could not bear. Flow nesting is counted; block nesting on one line, such as
// "- - - -", shows as an entry far to the right.
func (d *Document) checkTokens(tokens token.Tokens) error {
	depth := 0
	for _, t := range tokens {
		if why, ok := refused[t.Type]; ok {
			return d.errorAt(where(t), "", errors.New(why))
		}
		switch t.Type {
		case token.InvalidType:
			return d.errorAt(where(t), "", errors.New(t.Error))
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
		tooFar := t.Type == token.SequenceEntryType && t.Position.Column > 4*MaxDepth
		if depth > MaxDepth || tooFar {
			return d.errorAt(where(t), "", fmt.Errorf("nested too deeply; want at most %d levels", MaxDepth))
		}
	}
	return nil
}

func where(t *token.Token) spot {
	if t == nil || t.Position == nil {
		return spot{1, 1}
	}
	return spot{t.Position.Line, t.Position.Column}
}
