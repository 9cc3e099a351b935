# `make demo` and `make test` are all one needs; see README.md.
