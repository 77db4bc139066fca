"""What the workflow costs by path, and the whole path, on the deployed stack."""

from benchmarks import whole_path, workflow_cost

# The start, each state entered, each retry. A change here is a change of the bill.
TRANSITIONS = {
    "completed, paid when first asked": 10,
    "completed, nothing to pay": 6,
    "cancelled": 5,
    "failed: refused by WeChat Pay": 5,
    "failed: invalid event": 5,
    "completed and paid, after one retry": 11,
    "completed and paid, after three retries": 13,
    "misconfigured merchant": 2,
}


def test_each_path_is_billed_the_transitions_it_is_known_for(deployed):
    measured = workflow_cost.measure(*deployed)

    assert {name: billed.transitions for name, billed in measured.items()} == TRANSITIONS
    report = workflow_cost.report(measured).text
    assert all(name in report for name in (*TRANSITIONS, "Standard", "Express", "Lambda only"))


def test_every_order_on_the_bus_gets_its_result_and_times_in_the_log(deployed):
    path = whole_path.measure(*deployed, orders=6, at_a_time=2)

    assert len(path.times) == 6
    assert len(path.provider) >= 6
    assert len(path.function) >= 6
    assert "Our own share" in whole_path.report(path).text
