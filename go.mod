module footway

go 1.26
