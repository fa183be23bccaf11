// Package footwayv1 is the generated code of the protos in ../proto. See
// ../generate.sh.
package footwayv1
