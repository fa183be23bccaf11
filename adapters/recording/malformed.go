package recording

import (
	"bytes"
	"encoding/json"
	"strings"
)

// text scrubs what is no JSON, and leaves it none. Of the fields that can be
// made out the values become what they would in JSON; of the rest only
// punctuation stays, and of a word that is cut off nothing. Text without any
// fields is dropped.
func (s *scrubber) text(body string) string {
	if !s.pairs.MatchString(body) {
		return "{scrubbed"
	}
	var out strings.Builder
	last := 0
	for _, m := range s.pairs.FindAllStringSubmatchIndex(body, -1) {
		key, between, word, end := body[m[2]:m[3]], body[m[4]:m[5]], body[m[6]:m[7]], body[m[8]:m[9]]
		if end == `"` {
			word = quoted(s.word(key, unquoted(word))) + end
		} else { // the text ends within the word
			word = ""
		}
		out.WriteString(s.bones(body[last:m[0]]) + `"` + key + `"` + between + `"` + word)
		last = m[1]
	}
	out.WriteString(s.bones(body[last:]))
	if json.Valid([]byte(out.String())) { // what made it none is gone
		return "{" + out.String()
	}
	return out.String()
}

// bones returns what there is in text of punctuation, and of keys with numbers and literals.
func (s *scrubber) bones(text string) string {
	var out strings.Builder
	for _, m := range s.structure.FindAllStringSubmatch(text, -1) {
		all, key, between, number := m[0], m[1], m[2], m[3]
		if number != "" {
			all = `"` + key + `"` + between + s.number(key, json.Number(number)).String()
		}
		out.WriteString(all)
	}
	return out.String()
}

// unquoted reads the inside of a JSON string, as far as it is one.
func unquoted(word string) string {
	var s string
	if json.Unmarshal([]byte(`"`+word+`"`), &s) != nil {
		return word
	}
	return s
}

// quoted writes the inside of a JSON string.
func quoted(word string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(word); err != nil {
		panic("recording: a string is not JSON: " + err.Error())
	}
	line := strings.TrimSpace(b.String())
	return line[1 : len(line)-1]
}
