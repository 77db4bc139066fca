"""The function `CompleteOrder`: completes or cancels one order."""
