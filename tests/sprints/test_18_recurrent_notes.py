"""What notes 1 to 4 of sprint 18 and their exercises work out by hand."""

import math

import torch
from lesson_texts import lesson_texts, shown

from shared.nn.lengths import pack
from shared.nn.recurrent import Recurrent

page, note = lesson_texts("18_sequence_models")


def states(inputs: list[float], w: float, u: float) -> list[float]:
    found = [0.0]
    for x in inputs:
        found.append(math.tanh(w * x + u * found[-1]))
    return found[1:]


def test_note_4_three_texts_of_ones(load_sprint):
    script = load_sprint("18_sequence_models/packing_by_hand.py")
    found = script.main(script.Config())
    shown(note(4), found.read[2][-1], found.masked[2][-1])
    assert found.packed == [["a1", "b1", "c1"], ["a2", "b2"], ["a3"], ["a4"]]
    network = Recurrent("rnn", 1, 1).double()
    for name, weight in network.named_parameters():
        weight.data.fill_(0.0 if "bias" in name else (1.0 if "input" in name or "ih" in name else 0.5))
    mask = torch.tensor([[True] * 4, [True, True, False, False], [True, False, False, False]])
    _, (state,) = network(mask.double().unsqueeze(-1), None, mask)
    assert torch.allclose(state.flatten(), torch.tensor([row[-1] for row in found.masked]).double(), atol=1e-6)


def test_note_1_a_state_of_one_number():
    shown(note(1), *states([1, 0, 0], 1, 0.5), states([0, 0, 1], 1, 0.5)[-1])
    shown(note(1), *states([1, 0, 0], 1, -0.5))
    parameters = sum(weight.numel() for weight in Recurrent("rnn", 64, 128).parameters())
    assert f"{parameters:,}" in note(1)
    assert states([1] + [0] * 10, 1, 0.5)[-1] < 0.001


def test_note_2_the_way_back():
    gradient, by_u = states([1, 0, 0], 1, 0.5)[-1] - 1, 0.0
    for x, state, before in ((0, 0.3634, 0.7616), (1, 0.7616, 0)):
        after = states([1, 0, 0], 1, 0.5)[2 if x == 0 else 1]
        shown(note(2), gradient, 1 - after**2, gradient * (1 - after**2))
        by_u += gradient * (1 - after**2) * (state if x == 0 else before)
        gradient *= (1 - after**2) * 0.5
    assert f"{0.9**100:.5f}" in note(2)
    assert f"{1.1**100:,.0f}" in note(2)
    last = 1.3**20
    slope = (last - 0.5) * 20 * 1.3**19
    assert f"{round(slope, -3):,.0f}" in note(2)
    assert f"{round((last - 0.5) ** 2 / 2, -3):,.0f}" in note(2)
    assert f"−{round(0.01 * slope - 1.3, -1):,.0f}" in lesson_texts("18_sequence_models", "−")[1](2)
    matrix = torch.tensor([[0.5, 10.0], [0, 0.5]])
    assert (matrix @ torch.tensor([0.0, 1])).tolist() == [10, 0.5]
    assert torch.linalg.eigvals(matrix).abs().tolist() == [0.5, 0.5]
    assert torch.linalg.matrix_power(matrix, 10).norm() < 1


def test_note_2_a_gradient_cannot_be_larger_than_the_powers_of_the_singular_value():
    generator = torch.Generator().manual_seed(0)
    for radius in (0.5, 0.9, 1.5):
        matrix = torch.randn(6, 6, generator=generator, dtype=torch.float64)
        matrix *= radius / torch.linalg.matrix_norm(matrix, ord=2)
        for _ in range(20):
            state, product = torch.zeros(6, dtype=torch.float64), torch.eye(6, dtype=torch.float64)
            for step in range(1, 9):
                state = torch.tanh(torch.randn(6, generator=generator, dtype=torch.float64) + matrix @ state)
                product = torch.diag(1 - state**2) @ matrix @ product
                assert torch.linalg.matrix_norm(product, ord=2) <= radius**step + 1e-12


def test_note_3_a_cell_by_hand():
    take, cell = 1 / (1 + math.exp(-5)), 0.0
    shown(note(3), take, 1 - take)
    for value, flag in ((0.8, 1), (-0.5, 0), (0.3, 0), (-0.6, 0)):
        write = take if flag else 1 - take
        cell = (1 - write) * cell + write * math.tanh(value)
        shown(note(3), cell)
    shown(note(3), math.tanh(0.8), *states([0.8, -0.5, 0.3, -0.6], 1, 0.5)[::3])
    for kind in ("lstm", "gru"):
        assert f"{sum(weight.numel() for weight in Recurrent(kind, 64, 128).parameters()):,}" in note(3)
    gate = 0.5**0.01
    shown(note(3), gate, form=".4f")
    shown(note(3), math.log(gate / (1 - gate)), form=".2f")
    assert f"{0.99**1000:.5f}" in note(3)


def test_note_4_padding_by_hand():
    shown(note(4), *states([1, 0, 0], 1, 0.5))
    data, rows = pack(torch.zeros(3, 4, 1), torch.tensor([4, 2, 1]))
    assert rows.tolist() == [3, 2, 1, 1]
    assert f"= {len(data)} tokens instead of 12" in note(4)
    assert f"{1 - 130 / 400:.1%}".replace("%", " %") in note(4)


def test_exercises_on_paper():
    first, second = states([0.5, 0], 2, -1)
    by_sum = second * (1 - second**2)
    back = -by_sum * (1 - first**2)
    shown(page, first, second, 1 - second**2, by_sum, 1 - first**2, back, back * 0.5, by_sum * first)
    gates = [1 / (1 + math.exp(-bias)) for bias in (0, 1, 2)]
    assert ", ".join(f"{math.log(0.5) / math.log(gate):.1f}" for gate in gates) == "1.0, 2.2, 5.5"
    gate = 0.5**0.001
    assert f"{gate:.5f} and the bias {math.log(gate / (1 - gate)):.2f}" in page
