package restapi

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"footway/core/delivery"
)

// An entity tag is the sequence of the delivery's last update and a hash of the
// body: "7-3q2-7w". The whole of it says whether a reader has the newest body;
// its sequence alone whether somebody who edits knew what was told, since
// where the robot is right now changes the body and not the decision.

// tag returns the entity tag of a body. Sequence is 0 where there is none.
func tag(sequence uint64, body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + strconv.FormatUint(sequence, 10) + "-" + base64.RawURLEncoding.EncodeToString(sum[:9]) + `"`
}

// answer sends a body, or 304 to whom has it already.
func answer(w http.ResponseWriter, r *http.Request, body []byte) error {
	return answerTagged(w, r, tag(0, body), body)
}

func answerTagged(w http.ResponseWriter, r *http.Request, tag string, body []byte) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		w.Header().Set("Cache-Control", "private, no-cache")
		w.Header().Set("Vary", "Authorization, "+headerPartner)
		w.Header().Set("ETag", tag)
		if matches(r.Header.Values("If-None-Match"), tag) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	write(w, http.StatusOK, jsonType, body)
	return nil
}

// matches reports whether a condition's list has the tag, by weak comparison.
func matches(lists []string, tag string) bool {
	for _, list := range lists {
		for t := range strings.SplitSeq(list, ",") {
			t = strings.TrimSpace(t)
			if t == "*" || strings.TrimPrefix(t, "W/") == tag {
				return true
			}
		}
	}
	return false
}

// ifMatch returns the sequence that a caller's edit is about, 0 if it does not say.
func ifMatch(r *http.Request) (uint64, error) {
	list := r.Header.Values("If-Match")
	if len(list) == 0 || len(list) == 1 && strings.TrimSpace(list[0]) == "*" {
		return 0, nil
	}
	number, rest, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(list[0]), `"`), "-")
	n, err := strconv.ParseUint(number, 10, 64)
	if len(list) > 1 || err != nil || n < 1 || n > delivery.MaxSequence || !strings.HasSuffix(rest, `"`) || strings.Contains(rest, ",") {
		return 0, invalid(reasonBadHeader, "if-match: want one ETag that an answer had, or *")
	}
	return n, nil
}
