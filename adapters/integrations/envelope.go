package integrations

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Answer is what a request is answered with.
type Answer struct {
	Status    int
	Header    http.Header // beyond Content-Type; may be nil
	Body      []byte      // JSON
	Operation string      // which operation it was, such as "quote"; "" if none: for logs
	Err       error       // what went wrong on our side: for logs, not for partners
}

// problem is an error in Drive's envelope.
type problem struct {
	status int
	after  time.Duration // Retry-After, 0 for none
	header http.Header
	cause  error // for logs
	oauth  string
	tongue tongue

	Code        string       `json:"code"`
	Message     string       `json:"message"` // for people who debug
	Reason      string       `json:"reason,omitempty"`
	FieldErrors []fieldError `json:"field_errors,omitempty"`
}

type fieldError struct {
	Field string `json:"field"`
	Error string `json:"error"`
}

// Error returns the code and the message.
func (p *problem) Error() string { return p.Code + ": " + p.Message }

// The codes of Drive, and those in its manner.
const (
	codeValidation     = "validation_error"
	codeAuthentication = "authentication_error"
	codeAuthorization  = "authorization_error"
	codeUnknown        = "unknown_operation"
	codeMethod         = "method_not_allowed"
	codeThrottled      = "too_many_requests"
	codeFault          = "service_fault"
)

func invalid(field, text string) *problem {
	return &problem{status: http.StatusBadRequest, Code: codeValidation, Message: "One or more request values couldn't be validated.", FieldErrors: []fieldError{{field, text}}}
}

func nothingHere() *problem {
	return &problem{status: http.StatusNotFound, Code: codeUnknown, Message: "there is nothing at this path"}
}

// busy is the answer of a door that has too much to do.
func busy(cause error) *problem {
	return &problem{status: http.StatusServiceUnavailable, after: time.Second, cause: cause, Code: codeFault, Message: "Internal service failure, please try again later."}
}

// broken is the answer where a repeat will not help.
func broken(cause error) *problem {
	return &problem{status: http.StatusInternalServerError, cause: cause, Code: codeFault, Message: "Internal service failure, please try again later."}
}

// answer returns p as it goes out.
func (p *problem) answer(operation string) Answer {
	body, err := json.Marshal(p)
	if err != nil {
		panic("integrations: a problem is not JSON: " + err.Error()) // it is plain fields
	}
	switch {
	case p.oauth != "":
		body = p.asOAuth()
	case p.tongue == uberTongue:
		body = p.asUber()
	}
	h := p.header.Clone()
	if h == nil {
		h = http.Header{}
	}
	if p.after > 0 {
		h.Set("Retry-After", strconv.Itoa(int((p.after+time.Second-1)/time.Second)))
	}
	return Answer{Status: p.status, Header: h, Body: body, Operation: operation, Err: p.cause}
}

// asOAuth is p with the words of RFC 6749, 5.2, which clients of the token
// endpoint read, beside Drive's.
func (p *problem) asOAuth() []byte {
	body, err := json.Marshal(struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Code        string `json:"code"`
		Message     string `json:"message"`
	}{p.oauth, p.Message, p.Code, p.Message})
	if err != nil {
		panic("integrations: a problem is not JSON: " + err.Error())
	}
	return body
}

// reply is an answer that is no problem.
func reply(operation string, body any) Answer {
	b, err := json.Marshal(body)
	if err != nil {
		panic("integrations: an answer is not JSON: " + err.Error())
	}
	return Answer{Status: http.StatusOK, Body: b, Operation: operation}
}
