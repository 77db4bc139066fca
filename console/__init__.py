"""The console: pages over the local stack, or over a deployed one with the operator's own AWS credentials.

It reads what `make show` and `make stuck` read and shows it in a browser; nothing here is on an order's way.
Loopback only. Without the token of the printed URL it is read-only.
"""
