"""Sprint 18, notes 1 to 4: the claims of the scripts at a tiny size."""

import math
from dataclasses import replace

import pytest
import torch

FOLDER = "18_sequence_models"


@pytest.fixture
def load(load_sprint):
    return lambda script: load_sprint(f"{FOLDER}/{script}.py")


def test_a_state_by_hand_is_what_the_layer_computes(load):
    script = load("rnn_by_hand")
    results = script.main(script.Config())
    assert results.states == pytest.approx(results.by_the_layer, abs=1e-6)
    assert results.states[-1] != pytest.approx(results.from_last_word_on[-1], abs=0.1), "order counts"
    with pytest.raises(ValueError, match="room for 12 words"):
        script.Config(inputs=(0.0,) * 13).check()


@pytest.mark.parametrize("recurrent", [0.5, -2.0])
def test_the_gradient_by_hand_is_autograds(load, recurrent):
    script = load("bptt_by_hand")
    results = script.main(script.Config(inputs=(1.0, -0.5, 0.3, 0.0), recurrent=recurrent))
    assert [results.weight_gradient, results.recurrent_gradient] == pytest.approx(results.autograd, rel=1e-12)
    with pytest.raises(ValueError, match="room for 8 words"):
        script.Config(inputs=(0.0,) * 9).check()


def test_a_clipped_gradient_gets_down_the_cliff_and_a_free_one_falls_off(load):
    script = load("clipping")
    results = script.main(script.Config())
    assert results.clipped.weights[-1] == pytest.approx(results.optimum)
    assert len(results.free.weights) == 2
    with pytest.raises(ValueError, match="float64 ends"):
        script.Config(start=3.0).check()


def test_eigenvalues_decide_over_the_gradients_of_a_linear_recurrence(load):
    script = load("gradients_over_time")
    results = script.main(script.Config(hidden=12, steps_back=40, batch=2, networks=2))
    shares = {name: curve[-1] for name, curve in results.log10_shares.items()}
    assert shares["linear, eigenvalue 0.9"] == pytest.approx(40 * math.log10(0.9), abs=0.8)
    assert shares["linear, eigenvalue 1.1"] == pytest.approx(40 * math.log10(1.1), abs=0.8)
    assert shares["RNN, PyTorch's start"] < shares["LSTM, forget bias 0"] < shares["LSTM, forget bias 1"]
    assert shares["LSTM, forget bias 1"] < shares["LSTM, forget bias 4"]
    assert all(curve[0] == 0 for curve in results.log10_shares.values())


def test_gates_by_hand_are_the_steps_of_the_library_and_keep_what_was_stored(load):
    script = load("gates_by_hand")
    results = script.main(script.Config())
    assert results.largest_difference < 1e-12
    assert results.cell[-1] == pytest.approx(results.cell[0], abs=0.02)
    assert results.rnn[-1] < 0 < results.rnn[0]
    with pytest.raises(ValueError, match="got 2 and 4"):
        script.Config(values=(0.0, 1.0)).check()


def test_our_networks_are_the_librarys(load):
    script = load("equals_the_library")
    results = script.main(script.Config(features=3, hidden=4, tokens=5, batch=3))
    for name, bound in (("float32", 1e-5), ("float64", 1e-10)):
        rows = [row for kind in results.differences[name].values() for row in kind.values()]
        assert len(rows) == 12
        assert max(max(row.outputs, row.gradients) for row in rows) < bound


def test_what_a_cut_gradient_does_not_reach_is_not_learnt(load, load_sprint):
    parts = load_sprint(f"{FOLDER}/sequences/delayed_recall.py")
    x, answers = parts.draw(3, 4, 5, torch.Generator().manual_seed(0))
    assert x.shape == (5, 6, 6)
    assert x[:, 0].argmax(dim=-1).equal(answers)
    assert x[:, 1:-1].argmax(dim=-1).ge(3).all()
    model = parts.Recaller("gru", 3, 4)
    cut, whole = model(x, 2), model(x)
    torch.testing.assert_close(cut, whole, msg="the state is carried all the same")
    # A weight of the symbol's feature gets no gradient if the way back ends behind the symbol.
    for scores, reached in ((cut, False), (whole, True)):
        (gradient,) = torch.autograd.grad(scores.square().sum(), model.layer.weights(0)[0])
        assert bool(gradient[:, :3].ne(0).any()) == reached
    script = load("truncated")
    config = script.Config(delays=(2,), windows=(2, 4), hidden=8, steps=2, seeds=1)
    assert script.main(config) == script.main(config), "same seed, same results"


def test_gates_in_another_order_are_other_weights(load):
    script = load("wrong_gates")
    weight = torch.arange(8.0).reshape(4, 2)
    assert script.read_as(weight, "ifgo", "ifgo").equal(weight)
    assert script.read_as(weight, "ifgo", "iofg")[:, 0].tolist() == [0, 6, 2, 4]
    assert script.read_as(weight[:3], "rzn", "rZn")[:, 0].tolist() == [0, -2, 4]
    results = script.main(script.Config(delay=2, hidden=16, steps=120, seeds=1))
    rows = results.losses["lstm"]
    assert rows["i f g o: right"][0] < min(rows["i o f g: ONNX"][0], rows["i g f o: TensorFlow 1"][0])
    assert results.forget_bias["1 in both"].gate == pytest.approx(1 / (1 + math.exp(-2)))


def test_padding_that_is_read_moves_the_answer(load):
    script = load("padding_that_counts")
    results = script.main(script.Config(longest=3, padded_to=(4, 9), hidden=8, steps=3, test_rows=50, seeds=1))
    assert results.changed["padding leaves the state"][1] < 1e-6
    assert results.changed["padding is read"][1] > 1e-3
    with pytest.raises(ValueError, match="rows of 17 tokens, with"):
        script.Config(padded_to=(16,)).check()


def test_laplaces_rule_is_the_best_prediction_of_a_toss(load_sprint):
    parts = load_sprint(f"{FOLDER}/sequences/coins.py")
    best = parts.optimum(3)
    # By counting: the chance of heads is spread evenly, so after n tosses any number of heads is equally probable.
    assert best[0] == pytest.approx(math.log(2))
    assert best[1] == pytest.approx(-(math.log(2 / 3) * 2 / 3 + math.log(1 / 3) / 3))
    rows = parts.draw(20_000, 3, torch.Generator().manual_seed(0))
    heads = rows[:, 1:3].sum(dim=1)
    for k in range(3):
        assert rows[heads == k, 3].double().mean().item() == pytest.approx((k + 1) / 4, abs=0.02)
    model = parts.Tosses(4)
    losses, state = model.losses(rows[:2], None)
    whole, _ = model.layer(torch.nn.functional.one_hot(rows[:2], 3).float())
    torch.testing.assert_close(state[0][:, 0], whole[:, -1])
    assert losses.shape == (2, 3)


def test_a_state_of_another_document_costs(load):
    script = load("across_documents")
    config = script.Config(tosses=4, hidden=8, batch=64, steps=150, test_documents=500, seeds=1)
    results = script.main(config)
    assert results.losses["begins at zero"][0] < results.losses["trained from zero, then carried"][0]
    assert results.losses["begins at zero"][0] > results.optimum - 0.03
    short = replace(config, steps=2)
    assert script.main(short) == script.main(short), "same seed, same results"


def test_all_three_ways_to_compute_an_lstm_are_one(load):
    script = load("lstm_speed")
    results = script.main(script.Config(widths=(4,), tokens=5, batch=2, rounds=1))
    assert results.largest_difference < 1e-6
    operations = [way.operations for way in results.ways["4"].values()]
    assert operations[0] > operations[1] > operations[2]
