"""Facts, times and the store of sprint 26: equal to working it out at once, in any order; kills; what is refused."""

import random
from types import SimpleNamespace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SPRINT = "26_dynamic_knowledge_graph"


@pytest.fixture
def parts(load_sprint):
    """Return the modules of the package by name."""
    names = ("kinds", "store", "sqlite_store", "whole", "periods", "faults", "hearsay")
    return SimpleNamespace(**{name: load_sprint(f"{SPRINT}/knowledge/{name}.py") for name in names})


def drawn(parts, seed, number):
    return parts.hearsay.hearsay(number, torch.Generator().manual_seed(seed))


def new_store(parts, path=None):
    return parts.sqlite_store.SqliteStore(path, parts.hearsay.Prefixes(), parts.hearsay.SOURCES, parts.hearsay.SINGLE)


def whole(parts, arrivals):
    return parts.whole.known(arrivals, parts.hearsay.Prefixes(), parts.hearsay.SOURCES, parts.hearsay.SINGLE)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), number=st.integers(1, 40))
def test_what_is_known_depends_on_the_set_of_records_alone(parts, seed, number):
    arrivals, rng = drawn(parts, seed, number), random.Random(seed)
    expected = whole(parts, arrivals)
    for _ in range(2):
        with new_store(parts) as store:
            store.add(arrivals)
            assert store.dump(times=False) == expected
        arrivals = arrivals + rng.choices(arrivals, k=len(arrivals) // 2) if arrivals else []
        rng.shuffle(arrivals)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_what_was_known_is_what_the_first_arrivals_say(parts, seed):
    arrivals = drawn(parts, seed, 40)
    with new_store(parts) as store:
        store.add(arrivals)
        for known in random.Random(seed).sample(range(len(arrivals) + 1), 15):
            assert store.dump(times=False, known=known) == whole(parts, arrivals[:known])
