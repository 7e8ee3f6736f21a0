"""The judge of `dev.py bench sharing` tells apart what differs, and nothing else."""

import random

import pytest

from bench.sharing import rank_sum

DRAWN = random.Random(7)


def waits(count: int, *, later: float = 0.0) -> list[float]:
    return [DRAWN.gauss(40, 4) + later for _ in range(count)]


def test_b100_the_same_waits_are_alike_and_later_ones_are_told_apart() -> None:
    assert rank_sum(waits(2000), waits(2000)) > 0.01
    assert rank_sum(waits(2000, later=1), waits(2000)) < 0.01


def test_the_published_example_of_the_rank_sum_test() -> None:
    """SciPy's own example of mannwhitneyu, asymptotic, without correction of continuity."""
    males, females = [19, 22, 16, 29, 24], [20, 11, 17, 12]
    assert rank_sum(males, females) == pytest.approx(0.08641, abs=1e-4)


def test_equal_values_are_no_evidence() -> None:
    assert rank_sum([1.0] * 9, [1.0] * 9) == 1.0
