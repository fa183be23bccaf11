// Package orders ranges over maps in every way, allowed and not.
package orders

import (
	"maps"
	"reflect"
	"slices"
	"sort"
	"sync"
)

func ranged(m map[string]int) (sum int) {
	for _, v := range m { // want `range over a map has no fixed order`
		sum += v
	}
	for range m { // no variable: one turn is like another
		sum++
	}
	for _ = range m {
		sum++
	}
	return sum
}

func collected(m map[string]int) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func collectedValues(m map[string]int) (s struct{ values []int }) {
	for _, v := range m {
		s.values = append(s.values, v)
	}
	sort.Slice(s.values, func(i, j int) bool { return s.values[i] < s.values[j] })
	return s
}

func collectedInCase(m map[string]int, n int) (keys []string) {
	switch n {
	case 1:
		for k := range m {
			keys = append(keys, k)
		}
		sort.Strings(keys)
	}
	return keys
}

func neverSorted(m map[string]int) (keys []string) {
	for k := range m { // want `range over a map has no fixed order`
		keys = append(keys, k)
	}
	return keys
}

func sortedTooLate(m map[string]int) (keys []string, first string) {
	for k := range m { // want `range over a map has no fixed order`
		keys = append(keys, k)
	}
	first = keys[0]
	slices.Sort(keys)
	return keys, first
}

func otherSorted(m map[string]int, other []string) (keys []string) {
	for k := range m { // want `range over a map has no fixed order`
		keys = append(keys, k)
	}
	slices.Sort(other)
	return keys
}

func stablySorted(m map[string]int) (keys []string) {
	for k := range m { // want `range over a map has no fixed order`
		keys = append(keys, k)
	}
	slices.SortStableFunc(keys, func(a, b string) int { return len(a) - len(b) })
	return keys
}

func doesMore(m map[string]int) (keys []string, last string) {
	for k := range m { // want `range over a map has no fixed order`
		keys = append(keys, k)
		last = k
	}
	slices.Sort(keys)
	return keys, last
}

func appendsSomethingElse(m map[string]int) (numbers []int) {
	for range m {
		numbers = append(numbers, len(numbers))
	}
	for k := range m { // want `range over a map has no fixed order`
		numbers = append(numbers, len(numbers)+len(k))
	}
	slices.Sort(numbers)
	return numbers
}

func generic[M ~map[K]V, K comparable, V any](m M) (first K) {
	for k := range m { // want `range over a map has no fixed order`
		return k
	}
	return first
}

func genericSlice[S ~[]E, E any](s S) (n int) {
	for i := range s {
		n += i
	}
	return n
}

func iterated(m map[string]int) []string {
	for k := range maps.Keys(m) { // want `maps.Keys has no fixed order`
		return []string{k}
	}
	_ = slices.Collect(maps.Values(m))              // want `maps.Values has no fixed order`
	_ = maps.Collect(maps.All(m))                   // want `maps.All has no fixed order`
	_ = slices.SortedStableFunc(maps.Keys(m), less) // want `maps.Keys has no fixed order`
	keys := maps.Keys[map[string]int]               // want `maps.Keys has no fixed order`
	_ = slices.Sorted(keys(m))
	_ = slices.SortedFunc(maps.Keys(m), less)
	return slices.Sorted(maps.Keys(m))
}

func less(a, b string) int { return len(a) - len(b) }

func hidden(m map[string]int, s *sync.Map) {
	_ = reflect.ValueOf(m).MapKeys()                    // want `\(reflect.Value\).MapKeys: sort what it returns`
	s.Range(func(key, value any) bool { return false }) // want `\(\*sync.Map\).Range: it has no fixed order`
}
