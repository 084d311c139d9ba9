"""The command line: what a person or a scheduler types. Assembly, words and exit codes; no business rule."""
