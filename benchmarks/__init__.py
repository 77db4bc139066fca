"""`make bench`: what a settled order costs in time, processor, bytes and money, beside its alternatives.

One module for each part; `__main__` runs them and writes docs/benchmarks.md, where every figure comes from.
"""
