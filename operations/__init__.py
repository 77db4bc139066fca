"""The operator's commands: onboard a merchant, find out what is wrong, bring interrupted orders to their end.

`python -m operations --help`, or the targets of the Makefile. Nothing that ships imports this.
"""
