"""What `make check` runs. A check takes a source tree and returns its problems; none is a pass."""
