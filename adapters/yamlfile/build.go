package yamlfile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// builder turns syntax into a tree of plain values, and notes where each stands.
type builder struct {
	doc   *Document
	depth int
	errs  []error
}

func (b *builder) fail(path string, n ast.Node, err error) any {
	b.errs = append(b.errs, b.doc.errorAt(where(n.GetToken()), path, err))
	return nil
}

// build returns the value of n, which stands at path.
func (b *builder) build(path string, n ast.Node) any {
	if b.depth++; b.depth > MaxDepth {
		b.depth--
		return b.fail(path, n, fmt.Errorf("nested too deeply; want at most %d levels", MaxDepth))
	}
	defer func() { b.depth-- }()
	switch n := n.(type) {
	case nil, *ast.NullNode, *ast.CommentGroupNode:
		return nil
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.BoolNode:
		return n.Value
	case *ast.IntegerNode:
		return b.integer(path, n)
	case *ast.FloatNode:
		return n.Value
	case *ast.SequenceNode:
		return b.list(path, n)
	case *ast.MappingNode:
		return b.mapping(path, n.Values)
	case *ast.MappingValueNode:
		return b.mapping(path, []*ast.MappingValueNode{n})
	}
	return b.fail(path, n, fmt.Errorf("%s is not read; want a plain value", strings.ToLower(n.Type().String())))
}

// integer refuses other bases: a zip code or a time that begins with 0 would
// silently become another number.
func (b *builder) integer(path string, n *ast.IntegerNode) any {
	switch n.Token.Type {
	case token.OctetIntegerType, token.BinaryIntegerType, token.HexIntegerType:
		return b.fail(path, n, fmt.Errorf("%s is not a decimal number; want one without leading zero, or text in quotes", n.Token.Value))
	}
	return n.Value
}

func (b *builder) list(path string, n *ast.SequenceNode) any {
	list := make([]any, 0, len(n.Values))
	for i, item := range n.Values {
		at := element(path, i)
		if item != nil {
			b.doc.spots[at] = start(item)
		}
		list = append(list, b.build(at, item))
	}
	return list
}

// start is where a node begins: a mapping at its first key, not at its colon.
func start(n ast.Node) spot {
	switch m := n.(type) {
	case *ast.MappingNode:
		if len(m.Values) > 0 && !m.IsFlowStyle {
			return where(m.Values[0].Key.GetToken())
		}
	case *ast.MappingValueNode:
		return where(m.Key.GetToken())
	}
	return where(n.GetToken())
}

func (b *builder) mapping(path string, pairs []*ast.MappingValueNode) any {
	tree := make(map[string]any, len(pairs))
	lines := make(map[string]int, len(pairs))
	for _, pair := range pairs {
		key, ok := keyOf(pair.Key)
		if !ok {
			b.fail(path, pair.Key, errors.New("a key that is no plain word; want 'key: value'"))
			continue
		}
		at, s := member(path, key), where(pair.Key.GetToken())
		if line, taken := lines[key]; taken {
			b.fail(at, pair.Key, fmt.Errorf("set twice, first in line %d; want it once", line))
			continue
		}
		lines[key] = s.line
		b.doc.spots[at] = s
		tree[key] = b.build(at, pair.Value)
	}
	return tree
}

// keyOf returns a key's text. Numbers and the like are taken as they are written.
func keyOf(n ast.MapKeyNode) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return n.GetToken().Value, true
	}
	return "", false
}
