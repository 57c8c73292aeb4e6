"""Sprint 18, notes 8 and 9: Mamba and Mamba-2."""

import math

import pytest
import torch

FOLDER = "18_sequence_models"


@pytest.fixture
def script(load_sprint):
    return lambda name: load_sprint(f"{FOLDER}/{name}.py")


def test_mamba_by_hand_is_the_selective_scan(script):
    module = script("mamba_by_hand")
    results = module.main(module.Config())
    assert results.states == [3.0, 3.0, 3.5], "the second token is passed over: no time goes by"
    assert results.decays == [0.5, 1.0, 0.5]
    assert results.largest_difference < 1e-12
    module.plot(results)
    with pytest.raises(ValueError, match="got 2 and 3"):
        module.Config(steps=(1.0, 2.0)).check()


def test_only_transformers_first_mamba_forgets_in_a_second_piece(script):
    module = script("second_chunk")
    results = module.main(module.Config(first=5, second=(1, 2, 4)))
    forgets = results.differences.pop("Mamba, transformers")
    assert forgets[0] < 1e-4, "one token goes on from the state"
    assert min(forgets[1:]) > 0.05, "a longer piece begins at zero; if this fails, the library is mended: say so"
    assert all(max(row) < 1e-4 for row in results.differences.values())
    assert len(results.differences) == 3


def test_half_lives_follow_the_bias(script):
    module = script("wrong_time_step")
    results = module.main(module.Config(features=50))
    right = results.half_lives["the inverse, once"]
    assert math.log(2) / 0.1 - 0.1 < right[0] < right[-1] < math.log(2) / 0.001 + 1
    assert max(results.half_lives["the step itself"]) < 1.01, "softplus of nearly zero is log 2"
    assert results.not_numbers == {"the inverse, once": 0, "the step itself": 0, "the inverse, twice": 1}
    module.plot(results)


def test_all_ways_are_timed_and_agree(script):
    module = script("scan_speed")
    results = module.main(module.Config(tokens=9, batch=1, d_model=32, layers=1, rounds=1))
    assert set(results.seconds) == {"Mamba, reads", "Mamba, learns", "Mamba-2, reads", "Mamba-2, learns"}
    assert all(set(ways) == {"transformers", "tokens", "scan", "chunks"} for ways in results.seconds.values())
    assert results.times_as_fast["Mamba, reads"]["transformers"] == 1
    assert results.largest_difference < 1e-4


@pytest.mark.parametrize("chunk", [1, 2, 3, 4])
def test_decays_as_a_mask_are_the_recurrence(script, chunk):
    module = script("decays_as_a_mask")
    config = module.Config(chunk=chunk)
    results = module.main(config)
    expected = torch.tensor([[1, 0, 0, 0], [0.5, 1, 0, 0], [0.25, 0.5, 1, 0], [0.25, 0.5, 1, 1]], dtype=torch.float64)
    torch.testing.assert_close(torch.tensor(results.mask, dtype=torch.float64), expected, atol=1e-12, rtol=0)
    assert results.outputs == pytest.approx([4.0, 4.0, 2.0, 3.0])
    assert results.largest_difference < 1e-12
    module.plot(results)
    with pytest.raises(ValueError, match="got 2 and 4"):
        module.Config(values=(1.0, 2.0)).check()
    state, states = 0.0, []
    for decay, value in zip(config.decays, config.values, strict=True):
        state = decay * state + value
        states.append(state)
    assert states == [4.0, 4.0, 2.0, 3.0]
