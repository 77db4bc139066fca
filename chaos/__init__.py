"""`make chaos`: thousands of orders through the deployed workflow under fire, then an audit that can fail.

`plan` has what comes in and how it may end; `load` plays it; `disturbances` is what goes wrong on
our side; `evidence` gathers what happened; `audit` and `leaks` judge it. See docs/testing.md.
"""
