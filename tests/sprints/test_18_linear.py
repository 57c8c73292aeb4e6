"""Linear recurrences, linear attention, state spaces and the delta rule of sprint 18, on tiny settings."""

import math

import pytest
import torch
from lesson_texts import lesson_texts

from shared.checks.invariants import InvariantError
from shared.checks.streaming import check_streaming
from shared.nn.linear_recurrence import GatedRecurrence, MinGRU, recur

FOLDER = "18_sequence_models"
_, note = lesson_texts(FOLDER)


def test_scan_by_hand_is_the_note(load_sprint):
    script = load_sprint(f"{FOLDER}/scan_by_hand.py")
    results = script.main(script.Config())
    assert results.states == [8, 8, 6, 9]
    assert results.rounds[1] == [(0.5, 8), (0.25, 8), (0.25, 4), (0.25, 7)]
    assert results.rounds[2] == [(0.5, 8), (0.25, 8), (0.125, 6), (0.0625, 9)]
    for piece in ("(0.25, 8)", "(0.25, 4)", "(0.25, 7)", "(0.125, 6)", "(0.0625, 9)"):
        assert piece in note(5)
    assert results.chunks_from_zero == [[8, 8], [2, 7]]
    assert results.chunk_products[1] == [0.5, 0.25]
    assert "2 + 0.5 · 8 = 6" in note(5)
    assert "7 + 0.25 · 8 = 9" in note(5)
    assert results.largest_difference == 0
    assert script.plot(results).axes
    other = script.main(script.Config(decays=(0.5, -1.0, 0.0, 1.0)))
    assert other.states == [8, -4, 2, 8]
    assert other.largest_difference == 0


def test_joining_steps_is_associative_and_not_commutative(load_sprint):
    join = load_sprint(f"{FOLDER}/scan_by_hand.py").join
    first, second, third = (0.5, 8.0), (2.0, 1.0), (-1.0, 3.0)
    assert join(join(first, second), third) == join(first, join(second, third))
    assert join(first, second) != join(second, first)
    assert join(first, second) == (1.0, 17.0)
    assert "(1, 17)" in note(5)
    assert join(second, first) == (1.0, 8.5)
    assert "(1, 8.5)" in note(5)


def test_three_ways_counts_what_it_says(load_sprint):
    script = load_sprint(f"{FOLDER}/three_ways.py")
    waits, multiplied = script.count(8, 4)
    assert waits == {"token by token": 8, "scan": 3, "in chunks": 6}
    assert multiplied == {"token by token": 8, "scan": 2 * (7 + 6 + 4), "in chunks": 26}
    results = script.main(script.Config(lengths=(4, 9), batch=1, features=2, chunk=3, rounds=2))
    assert results.largest_difference < 1e-5
    assert results.times_as_long["in chunks"] == [[1.0, 1.0]] * 2
    assert len(script.plot(results).axes) == 2
    with pytest.raises(ValueError, match="must rise"):
        script.Config(lengths=(9, 4)).check()


def test_note_5_the_two_layers():
    torch.manual_seed(0)
    gates, candidates = [0.5, 0.25, 1.0], [4.0, 8.0, 2.0]
    state = 0.0
    for gate, candidate in zip(gates, candidates, strict=True):
        state = (1 - gate) * state + gate * candidate
    assert state == 2.0  # a gate of 1 replaces all
    layer = MinGRU(1)
    with torch.no_grad():
        layer.candidate.weight.fill_(1.0)
        layer.candidate.bias.zero_()
    outputs, _ = layer(torch.tensor([[[1.0], [3.0], [2.0]]]))
    assert 0 <= outputs.min() <= outputs.max() <= 3  # a mean of candidates, and of the zero at the start
    parity = GatedRecurrence(1, 1, lowest=-1.0)  # h' = 1 - h at a 1, h' = h at a 0
    with torch.no_grad():
        for linear, weight, bias in (
            (parity.decay, -200.0, 100.0),
            (parity.input, 1.0, 0.0),
            (parity.output, 1.0, 0.0),
        ):
            linear.weight.fill_(weight)
            linear.bias.fill_(bias)
    bits = torch.tensor([1.0, 0, 1, 1, 0])
    outputs, _ = parity(bits[None, :, None])
    assert outputs.flatten().tolist() == pytest.approx([1, 1, 0, 1, 1], abs=1e-6)


def test_linear_attention_by_hand_is_the_note(load_sprint):
    script = load_sprint(f"{FOLDER}/linear_attention_by_hand.py")
    results = script.main(script.Config())
    assert results.states == [[5, 0], [5, 7], [7, 7]]
    assert results.answers == [5, 5, 7]
    assert results.weight_sums[-1] == 2
    assert results.scores == [1, 0, 1]
    assert results.largest_difference < 1e-12
    assert script.plot(results).axes
    faded = script.main(script.Config(decay=0.5))
    assert faded.states == [[5, 0], [2.5, 7], [3.25, 3.5]]
    assert faded.scores == [0.25, 0, 1]
    assert faded.answers[-1] == 3.25
    assert faded.largest_difference < 1e-12
    for words in ("(5, 7)", "(7, 7)", "(3.25, 3.5)", "0.25 · 5 + 0 · 7 + 1 · 2 = 3.25", "3.25 / 1.25 = 2.6"):
        assert words in note(6)
    assert faded.answers[-1] / faded.weight_sums[-1] == 2.6


def test_note_6_sizes_of_a_state_and_of_a_cache():
    heads, head_dim = 12, 64
    state, token = heads * head_dim * (head_dim + 1), 2 * heads * head_dim
    assert f"{state:,}" in note(6)
    assert f"{token:,}" in note(6)
    assert state / token == 32.5
    assert "32.5" in note(6)


def test_state_space_by_hand_is_the_note(load_sprint):
    script = load_sprint(f"{FOLDER}/state_space_by_hand.py")
    results = script.main(script.Config(modes=2, tokens=8))
    assert results.states == [1, 0.5, 2.25]
    assert results.kernel == [1, 0.5, 0.25]
    assert results.convolved == results.states
    assert results.largest_difference < 1e-12
    assert "1 · 2 + 0.5 · 0 + 0.25 · 1 = 2.25" in note(7)
    assert [wave[0] for wave in results.waves] == [1, 1]
    assert results.waves[1][1] == pytest.approx(math.exp(-0.025) * math.cos(0.05 * math.pi), rel=1e-4)
    assert len(results.kernels) == 3
    assert script.plot(results).axes


def test_note_7_the_hold_and_half_lives():
    decay = math.exp(-math.log(2))
    scale = (decay - 1) / -math.log(2)
    assert (f"{decay:.1f}", f"{scale:.3f}") == ("0.5", "0.721")
    assert "0.721" in note(7)
    for step in (0.001, 0.1):
        tokens = round(math.log(2) / (0.5 * step))
        assert f"{tokens:,} tokens" in note(7)
    # a circle: the convolution of (1, 0, 2) with (1, 0.5, 0.25) without zeros
    circular = torch.fft.irfft(
        torch.fft.rfft(torch.tensor([1.0, 0, 2])) * torch.fft.rfft(torch.tensor([1, 0.5, 0.25])), 3
    )
    assert circular.tolist() == pytest.approx([2, 1, 2.25], abs=1e-6)
    assert "2, 1, 2.25" in note(7)


def test_a_circular_convolution_reads_the_future(load_sprint):
    script = load_sprint(f"{FOLDER}/convolution_that_looks_ahead.py")
    config = script.Config(tokens=6, d_model=8, d_state=4, layers=1, steps=4, eval_every=2, batch_size=2, seeds=2)
    results = script.main(config)
    assert results.says["with zeros"] == "it holds"
    assert "reads the future" in results.says["without zeros"]
    assert results.steps == [2, 4]
    assert {kind: [len(run) for run in runs] for kind, runs in results.losses.items()} == {
        "with zeros": [2, 2], "without zeros": [2, 2],
    }  # fmt: skip
    assert results == script.main(config)
    assert script.plot(results).axes
    with pytest.raises(ValueError, match="something must be measured"):
        script.Config(steps=3, eval_every=4).check()


def test_delta_rule_by_hand_is_the_note(load_sprint):
    script = load_sprint(f"{FOLDER}/delta_rule_by_hand.py")
    results = script.main(script.Config())
    assert results.held == [0, 0, 5]
    assert results.differences == [5, 7, -3]
    assert results.corrected == [[5, 0], [5, 7], [2, 7]]
    assert results.added[-1] == [7, 7]
    assert results.largest_difference < 1e-12
    assert script.plot(results).axes
    half = script.main(script.Config(beta=0.5))
    assert half.largest_difference < 1e-12
    assert half.corrected[-1] == [2.25, 3.5]
    assert "(2.25, 3.5)" in note(10)
    similar = script.main(script.Config(third=(0.6, 0.8)))
    assert similar.held[-1] == pytest.approx(8.6)
    assert similar.corrected[-1] == pytest.approx([1.04, 1.72])
    assert similar.largest_difference < 1e-12
    assert "(1.04, 1.72)" in note(10)
    with pytest.raises(ValueError, match=r"length 1; --third \(1.0, 1.0\) has 1.41421"):
        script.Config(third=(1.0, 1.0)).check()


def test_note_10_the_triangular_system_and_the_eigenvalues():
    keys = torch.tensor([[1.0, 0], [0, 1], [0.6, 0.8]])
    system = torch.eye(3) + (keys @ keys.T).tril(-1)
    assert [f"{number:g}" for number in system[2].tolist()] == ["0.6", "0.8", "1"]
    written = torch.linalg.solve(system, torch.tensor([5.0, 7, 2]))
    assert written.tolist() == pytest.approx([5, 7, -6.6])
    assert "2 − 0.6 · 5 − 0.8 · 7 = −6.6" in note(10)
    for beta, eigenvalue in ((0.5, 0.5), (1.0, 0.0), (2.0, -1.0)):
        step = torch.eye(2) - beta * torch.outer(keys[2], keys[2])
        assert sorted(torch.linalg.eigvalsh(step).tolist()) == pytest.approx([eigenvalue, 1], abs=1e-6)


def test_adding_has_the_error_of_its_formula_and_correcting_a_smaller_one(load_sprint):
    script = load_sprint(f"{FOLDER}/adding_or_correcting.py")
    results = script.main(script.Config(pairs=(1, 4, 8), head_dim=8, features=4, rows=64, seeds=3))
    for name, rules in results.errors.items():
        for index, expected in enumerate(results.expected_adding[name]):
            mean = sum(rules["adding"][index]) / 3
            assert mean == pytest.approx(expected, abs=0.12 * (1 + expected))
            assert sum(rules["delta rule"][index]) / 3 <= mean + 1e-6
        assert rules["delta rule"][0] == pytest.approx([0, 0, 0], abs=1e-6)
    assert len(script.plot(results).axes) == 2


def test_exercises_on_paper(load_sprint):
    page, _ = lesson_texts(FOLDER)
    waits, multiplied = load_sprint(f"{FOLDER}/three_ways.py").count(8, 4)
    assert f"17 pairs, {multiplied['scan']} multiplications" in page
    assert (waits["in chunks"], multiplied["in chunks"]) == (6, 26)
    x = torch.tensor([3.0, -1, 4, 1, 5])
    states, _ = recur(torch.full((1, 5, 1), 0.5), x[None, :, None])
    before = torch.cat([torch.zeros(1), states.flatten()[:-1]])
    torch.testing.assert_close(states.flatten() - 0.5 * before, x)


def test_note_5_where_it_goes_wrong():
    assert torch.tensor(0.5).pow(150) == 0
    decay, x = torch.full((1, 6, 1), 0.5), torch.ones(1, 6, 1)

    def read(inputs, state):
        pieces = [recur(decay[:, : part.shape[1]], part, state)[0] for part in inputs.split(2, dim=1)]
        return torch.cat(pieces, dim=1), pieces[-1][:, -1]  # every chunk begins at the same state

    with pytest.raises(InvariantError, match="the output at position 2"):
        check_streaming(read, x)
