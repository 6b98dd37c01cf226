package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const maxInteger = 1<<53 - 1

var wholeNumber = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,15})$`)

// canonicalJSON is the value of a text that is RFC 8785's spelling of it.
func canonicalJSON(text []byte) (any, error) {
	value, err := decode(text)
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	if err := spell(&out, value); err != nil {
		return nil, err
	}
	if out.String() != string(text) {
		return nil, errors.New("not canonical JSON")
	}
	return value, nil
}

// strictJSON is the value of a bundle's text: no name twice, numbers whole and below 2^53.
func strictJSON(text []byte) (any, error) {
	value, err := decode(text)
	if err != nil {
		return nil, err
	}
	tokens := json.NewDecoder(bytes.NewReader(text))
	tokens.UseNumber()
	return value, noNameTwice(tokens)
}

func noNameTwice(tokens *json.Decoder) error {
	type level struct {
		object bool
		name   bool // a name comes next
		names  map[string]bool
	}
	var open []*level
	for {
		token, err := tokens.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var top *level
		if len(open) > 0 {
			top = open[len(open)-1]
		}
		if delim, ok := token.(json.Delim); ok && (delim == '}' || delim == ']') {
			open = open[:len(open)-1]
			continue
		}
		if top != nil && top.object && top.name {
			name := token.(string)
			if top.names[name] {
				return fmt.Errorf("the name %q twice", name)
			}
			top.names[name], top.name = true, false
			continue
		}
		if top != nil && top.object {
			top.name = true
		}
		switch token := token.(type) {
		case json.Delim:
			open = append(open, &level{object: token == '{', name: token == '{', names: map[string]bool{}})
		case json.Number:
			number, err := strconv.ParseFloat(token.String(), 64)
			if !wholeNumber.MatchString(token.String()) || err != nil || math.Abs(number) > maxInteger {
				return errors.New("a number of a bundle is whole and below 2^53")
			}
		}
	}
}

func decode(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("not UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("something follows the JSON value")
	}
	return value, nil
}

// spell writes a value as RFC 8785 does.
func spell(out *strings.Builder, value any) error {
	switch value := value.(type) {
	case nil:
		out.WriteString("null")
	case bool:
		out.WriteString(strconv.FormatBool(value))
	case string:
		spellText(out, value)
	case json.Number:
		return spellNumber(out, value)
	case []any:
		out.WriteByte('[')
		for i, item := range value {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := spell(out, item); err != nil {
				return err
			}
		}
		out.WriteByte(']')
	case map[string]any:
		names := make([]string, 0, len(value))
		for name := range value {
			names = append(names, name)
		}
		slices.SortFunc(names, func(a, b string) int {
			return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
		})
		out.WriteByte('{')
		for i, name := range names {
			if i > 0 {
				out.WriteByte(',')
			}
			spellText(out, name)
			out.WriteByte(':')
			if err := spell(out, value[name]); err != nil {
				return err
			}
		}
		out.WriteByte('}')
	}
	return nil
}

func spellText(out *strings.Builder, text string) {
	short := map[rune]string{'\b': `\b`, '\t': `\t`, '\n': `\n`, '\f': `\f`, '\r': `\r`, '"': `\"`, '\\': `\\`}
	out.WriteByte('"')
	for _, r := range text {
		if escaped, ok := short[r]; ok {
			out.WriteString(escaped)
		} else if r < 0x20 {
			fmt.Fprintf(out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
}

// spellNumber follows ECMAScript's Number::toString.
func spellNumber(out *strings.Builder, number json.Number) error {
	value, err := strconv.ParseFloat(number.String(), 64)
	if err != nil || math.IsInf(value, 0) {
		return errors.New("a number beyond double precision")
	}
	if !strings.ContainsAny(number.String(), ".eE") && math.Abs(value) > maxInteger {
		return errors.New("a whole number beyond 2^53-1")
	}
	if value == 0 {
		out.WriteByte('0')
		return nil
	}
	if value < 0 {
		out.WriteByte('-')
		value = -value
	}
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(value, 'e', -1, 64), "e")
	digits = strings.Replace(digits, ".", "", 1)
	power, err := strconv.Atoi(exponent)
	if err != nil {
		return err
	}
	k, n := len(digits), power+1
	switch {
	case k <= n && n <= 21:
		out.WriteString(digits + strings.Repeat("0", n-k))
	case 0 < n && n <= 21:
		out.WriteString(digits[:n] + "." + digits[n:])
	case -6 < n && n <= 0:
		out.WriteString("0." + strings.Repeat("0", -n) + digits)
	default:
		if k > 1 {
			digits = digits[:1] + "." + digits[1:]
		}
		fmt.Fprintf(out, "%se%+d", digits, n-1)
	}
	return nil
}
