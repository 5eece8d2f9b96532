"""A site template for MyST: its syntax tree in, HTML out (see README.md)."""
