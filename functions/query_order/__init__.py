"""The function `QueryOrder`: asks whether a completed order is paid."""
