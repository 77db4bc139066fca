"""The same seed gives the same run, in any process; and a run of every disturbance finds nothing wrong."""

import os
import subprocess
import sys
from pathlib import Path

from simulation.audit import UNTRUE
from simulation.run import simulate

ROOT = Path(__file__).parents[2]


def simulated(hash_seed: str, folder: Path) -> list[str]:
    command = [sys.executable, "-m", "simulation", "--orders", "20", "--seed", "5"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_two_processes_give_the_same_trace_whatever_hash_seed_and_folder(tmp_path: Path):
    one, other = simulated("0", ROOT)[-1], simulated("4711", tmp_path)[-1]

    assert one.startswith("trace sha256: ")
    assert len(one) == len("trace sha256: ") + 64
    assert one == other


def test_another_seed_gives_another_trace():
    assert simulate(8, 1).sha256 != simulate(8, 2).sha256


def test_orders_end_correctly_under_every_disturbance():
    run = simulate(120, 3)

    assert run.failed is None
    assert run.tally.orders == 120
    assert run.tally.faults.total() > 50
    assert run.tally.killed > 5
    assert run.tally.families.keys() == {"smartretail-orders", "payafter-orders", "serviceorder"}
    assert run.tally.examined[UNTRUE] > 200
    assert not run.tally.wrong


def test_the_life_of_one_order_is_replayed_without_the_others():
    whole = simulate(80, 3, order="S3-0000061")
    alone = simulate(None, 3, order="S3-0000061")

    assert alone.tally.orders == 40
    assert any("ServiceEnded" in line for line in alone.life)
    assert alone.life == whole.life  # with the functions' log lines, whose loggers an earlier shop has made
