"""Mutation testing: plant one small fault at a time where money depends on it, and see that a test goes red.

mutmut makes most of the faults; planting and running them is done here, because mutmut by itself leaves
out every decorated class and everything outside functions: all of `Signer`, all of the decision tables.
"""
