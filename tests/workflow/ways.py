"""Ways through the workflow, as lists of states."""

ROUND = ["AwaitPayment", "QueryOrder", "Payment"]
ACCEPTED = ["ServiceEnded", "Outcome", "OrderCompleted", "Payment"]
PAID = [*ACCEPTED, *ROUND, "OrderPaid", "Completed"]
OVERDUE = ["OrderPaymentOverdue", "Payment"]
