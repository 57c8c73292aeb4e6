"""What the notes and exercises of sprint 1 work out by hand, and the error messages that they quote."""

import math
import re
import tomllib
from collections.abc import Callable

import numpy as np
import pytest
import torch
from lesson_texts import lesson_texts
from torch.nn import functional

from shared.lab.paths import ROOT

FOLDER = ROOT / "sprints/01_setup_and_basics"
PAGE = (FOLDER / "exercises/README.md").read_text(encoding="utf-8")
_, note = lesson_texts("01_setup_and_basics")


def parameter(number: float) -> torch.Tensor:
    return torch.tensor(number, dtype=torch.float64, requires_grad=True)


# --- on paper


def test_strides_on_paper():
    x = torch.empty(2, 3, 4)
    assert x.stride() == (12, 4, 1)
    turned = x.permute(2, 0, 1)
    assert f"Permuted: shape {tuple(turned.shape)}, strides {turned.stride()}" in PAGE
    assert x[:, 1].stride() == (12, 1)
    with pytest.raises(RuntimeError):
        x[:, 1].view(8)


def test_shapes_on_paper():
    empty = torch.empty
    shapes = [
        (empty(5, 1) + empty(5)).shape,
        (empty(2, 3, 4) @ empty(4, 6)).shape,
        (empty(8, 1, 5) + empty(7, 1)).shape,
        (empty(10, 2, 3) @ empty(3)).shape,
        torch.einsum("bij,bj->bi", empty(10, 2, 3), empty(10, 3)).shape,
    ]
    answer = PAGE.split("(5, 5); ")[1].split("</details>")[0]
    assert [str(tuple(shape)) in "(5, 5); " + answer for shape in shapes] == [True] * 5
    with pytest.raises(RuntimeError):
        empty(3, 4) * empty(3)


def test_a_gradient_on_paper():
    a, b, c = (parameter(number) for number in (1, 2, -1))
    gradients = torch.autograd.grad((a * b + c) ** 2 * a, (a, b, c))
    assert [gradient.item() for gradient in gradients] == [5, 2, 2]
    a, b, c = (
        number - 0.1 * gradient
        for number, gradient in zip((1.0, 2.0, -1.0), (g.item() for g in gradients), strict=True)
    )
    assert ((a * b + c) ** 2 * a) == pytest.approx(0.045)


def test_the_hidden_layer_of_another_class_on_paper(load_sprint):
    script = load_sprint("01_setup_and_basics/network_by_hand.py")
    inputs = torch.tensor([1.0, 2.0], dtype=torch.float64)
    first, second = (torch.tensor(rows, dtype=torch.float64) for rows in (script.HIDDEN_WEIGHT, script.OUTPUT_WEIGHT))
    sums = (inputs @ first).requires_grad_()
    hidden = sums.tanh()
    logits = hidden @ second
    loss = functional.cross_entropy(logits, torch.tensor(0))
    to_logits, to_hidden, to_sums = torch.autograd.grad(loss, (logits, hidden, sums))
    assert f"{loss.item():.3f}" == "0.197"
    shown = [f"{number:.3f}".replace("-", "−") for number in (*to_logits, *to_hidden, *to_sums)]
    assert shown == ["−0.179", "0.179", "−0.358", "0.089", "−0.150", "0.089"]
    assert all(number in PAGE for number in shown)


# --- in the notes


def test_note_1_quotes_what_the_project_pins():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (pin,) = (line for line in project["project"]["dependencies"] if line.startswith("torch=="))
    assert f"`{pin}`" in note(1)
    assert all("==" in line for line in project["project"]["dependencies"])
    assert "exclude-newer" in project["tool"]["uv"]
    assert "--hash=sha256:" in (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert "uv.lock" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert f"{2 ** (23 - 10):,} times coarser" in note(1)


def test_note_2_strides():
    x = torch.empty(2, 3, 5)
    assert x.stride() == (15, 5, 1)
    x = torch.arange(12).view(3, 4)
    assert (x[:, 1].stride(), x[:, 1].storage_offset()) == ((4,), 1)
    assert x[:, ::2].view(6).tolist() == [0, 2, 4, 6, 8, 10]
    wider = torch.arange(15).view(3, 5)[:, ::2]
    assert (wider.shape, wider.stride()) == ((3, 3), (5, 2))
    with pytest.raises(RuntimeError):
        wider.view(9)


def test_note_3_counting():
    counts = torch.zeros(2, dtype=torch.long)
    counts[torch.tensor([1, 1, 0])] += 1
    assert counts.tolist() == [1, 1]
    probabilities, labels = torch.rand(5, 10), torch.arange(5)
    assert torch.equal(probabilities[torch.arange(5), labels], probabilities.gather(1, labels[:, None])[:, 0])
    assert len(torch.arange(1, 1.3, 0.1)) == 4
    x = torch.arange(12).view(3, 4)
    assert x[[0, 2], [1, 3]].tolist() == [x[0, 1], x[2, 3]]


def test_note_4_shapes():
    assert torch.broadcast_shapes((7, 1, 5), (3, 1)) == (7, 3, 5)
    assert torch.broadcast_shapes((8, 1, 3), (5, 1)) == (8, 5, 3)
    for pair in (((2, 3), (2,)), ((4, 3), (4,))):
        with pytest.raises(RuntimeError):
            torch.broadcast_shapes(*pair)


def test_note_5_products():
    square = torch.tensor([[1, 2], [3, 4]])
    assert (square * square).tolist() == [[1, 4], [9, 16]]
    assert (square @ square).tolist() == [[7, 10], [15, 22]]
    a, b = torch.randn(2, 3).double(), torch.randn(3, 4).double()
    assert (a[:, :, None] * b).shape == (2, 3, 4)
    torch.testing.assert_close((a[:, :, None] * b).sum(dim=1), a @ b)
    assert (torch.ones(2, 3) @ torch.ones(3)).shape == (2,)
    assert torch.einsum("ij->i", square).tolist() == [3, 7]
    torch.testing.assert_close(torch.einsum("ij,ij->i", a, a), (a * a).sum(dim=1))


def test_note_6_numbers():
    digits = re.findall(r"\| (\w+) \| (\d+) \| (\d+) \| ([\d.]+) \|", note(6))
    assert len(digits) == 5
    for name, exponent, mantissa, decimal in digits:
        limits = torch.finfo(getattr(torch, name))
        assert limits.eps == 2.0 ** -int(mantissa)
        assert limits.bits == 1 + int(exponent) + int(mantissa)
        assert f"{(int(mantissa) + 1) * math.log10(2):.1f}" == decimal
    assert torch.tensor(2.0**-25).half() == 0 < torch.tensor(2.0**-25 * 1.01).half()
    assert torch.finfo(torch.float16).max == 65_504
    assert (torch.tensor(256.0).bfloat16() + 1).item() == 256
    assert np.spacing(np.float32(1e8)) == 8
    assert np.spacing(np.float32(9e6)) == 1
    assert (torch.tensor(200, dtype=torch.uint8) + torch.tensor(100, dtype=torch.uint8)).item() == 44
    one_by_one = np.full(20_000_000, 0.7, np.float32).cumsum(dtype=np.float32)[-1]
    assert f"With 0.7: {one_by_one / 1e6:.2f} million" in note(6)


def test_note_6_carries_the_rounding_error_of_three_digits():
    def rounded(number: float) -> float:
        return float(f"{number:.3g}")  # in tens above 1,000; a tie goes to the even digit

    plain = total = 1000.0
    lost, terms, lost_after = 0.0, [], []
    for _ in range(10):
        plain = rounded(plain + 1)
        terms.append(rounded(1 - lost))
        grown = rounded(total + terms[-1])
        lost, total = rounded(rounded(grown - total) - terms[-1]), grown
        lost_after.append(lost)
    assert terms[:6] == [1, 2, 3, 4, 5, 6]
    assert (lost_after[0], lost_after[5], lost_after[-1]) == (-1, 4, 0)
    assert (total, plain) == (1010, 1000)


def test_note_7_after_the_step():
    w, b = parameter(2.6), parameter(0.8)
    loss = (w * 2 + b - 5) ** 2
    assert loss.item() == pytest.approx(1)
    assert torch.autograd.grad(loss, w)[0].item() == pytest.approx(4)
    assert ((3 - 0.25 * 8) * 2 + (1 - 0.25 * 4) - 5) ** 2 == 9
    x = parameter(2)
    assert torch.autograd.grad(x * 3 + x, x)[0].item() == 4


def test_note_8_the_code_and_the_pendulum():
    w, b = parameter(3), parameter(1)
    ((w * 2 + b - 5) ** 2).backward()
    assert (w.grad, b.grad) == (8, 4)
    x = parameter(5)
    assert torch.autograd.grad(x.detach() * x, x)[0].item() == 5

    def largest(curvature: float, emptied: bool = False) -> float:
        """Return how far the second half of 4,000 steps gets from the minimum; the learning rate is 1."""
        x, velocity, way = 1.0, 0.0, []
        for _ in range(4000):
            velocity = curvature * x + (0.0 if emptied else velocity)
            x -= velocity
            way.append(abs(x))
            if way[-1] > 1e6:
                break
        return max(way[len(way) // 2 :])

    for curvature in (0.01, 0.5, 1.0, 1.99, 3.0, 3.9):
        assert 0.9 < largest(curvature) < 30, "it neither grows nor dies out"
    assert largest(4.1) > 1e5
    assert largest(1.9, emptied=True) < 1e-12
    assert largest(2.1, emptied=True) > 1e5


def test_note_9_numbers_and_the_best_steps(load_sprint):
    script = load_sprint("01_setup_and_basics/network_by_hand.py")
    results = script.main(script.Config())
    text = note(9)
    assert [f"{number:.2f}" for number in results.forward["probabilities"]] == ["0.82", "0.18"]
    assert f"{math.exp(0.7616):.2f}" in text
    assert f"{math.exp(-0.7616):.2f}" in text
    assert f"−ln {results.forward['probabilities'][1]:.3f} = {results.loss:.2f}" in text
    assert f"−ln 0.5 = {math.log(2):.2f}" in text
    assert f"from {results.loss:.2f} to {results.loss_after:.2f}" in text
    numbers = [*results.backward["logits"], *results.backward["hidden"], *results.backward["sums"]]
    numbers += [*results.hidden_weight_gradient[1], *results.output_weight_gradient[0]]
    assert all(f"{number:.2f}".replace("-", "−") in text for number in numbers)
    assert 1 - math.tanh(10) < 1e-8
    twice = functional.cross_entropy(torch.tensor([1.0, 0.0]), torch.tensor(0))
    assert f"ln(1 + 1/e) = {twice.item():.2f}" in text
    assert f"{(2**-53) ** (2 / 3):.0e}" == "2e-11"


def test_note_10_a_strip_and_a_standard_deviation():
    def strip(x: float) -> float:
        return math.tanh(5 * (x + 1)) - math.tanh(5 * (x - 1))

    assert [round(strip(x), 2) for x in (-3, 0, 3)] == [0, 2, 0]
    assert f"{100 * math.sqrt(0.945 * 0.055 / 20_000):.2f} points" in note(10)


def test_note_11_by_hand(load_sprint):
    script = load_sprint("01_setup_and_basics/newtons_method.py")
    minimum = torch.tensor(script.MINIMUM, dtype=torch.float64)
    steepest = torch.linalg.eigvalsh(script.hessian(script.rosenbrock, minimum))[-1].item()
    assert f"a learning rate above {2 / steepest:.3f}" in note(11)
    x, y = parameter(3), parameter(2)
    first = torch.autograd.grad(x**2 * y, (x, y), create_graph=True)
    assert [g.item() for g in first] == [12, 9]
    rows = [
        [g.item() for g in torch.autograd.grad(f, (x, y), retain_graph=True, materialize_grads=True)] for f in first
    ]
    assert rows == [[4, 6], [6, 0]]
    at = 3.0
    for after in (2, 4 / 3):
        at -= 4 * at**3 / (12 * at**2)
        assert at == pytest.approx(after)


# --- messages


def in_place() -> None:
    y = torch.ones(2, requires_grad=True).exp()
    y += 1
    y.sum().backward()


def leaf_in_place() -> None:
    x = torch.ones(2, requires_grad=True)
    x -= 1


def twice() -> None:
    y = torch.ones(2, requires_grad=True).exp().sum()
    y.backward()
    y.backward()


MISTAKES: dict[int, tuple[Callable[[], object], ...]] = {
    5: (lambda: torch.ones(4, 3) + torch.ones(4),),
    6: (lambda: torch.ones(3, 4) @ torch.ones(3, 4),),
    7: (lambda: torch.ones(3, 4).mT.view(12),),
    8: (lambda: torch.ones(3, 4) @ torch.ones(4, 2).double(), lambda: torch.nn.Linear(4, 2)(torch.ones(3, 4).double())),
    9: (lambda: torch.ones(3, requires_grad=True).exp().backward(),),
    10: (lambda: torch.ones(3).sum().backward(),),
    11: (twice,),
    12: (leaf_in_place, in_place),
}


@pytest.mark.parametrize("number", MISTAKES)
def test_note_12_quotes_the_messages_of_this_version(number):
    text = note(12)
    section = text.split(f"**{number}. ")[1].split(f"**{number + 1}. ")[0].split("## When")[0]
    quoted = [
        quote.strip("*")
        for quote in re.findall(r"`([^`]{20,})`|\*([a-z][^*]{20,})\*", section)
        for quote in quote
        if quote
    ]
    for mistake in MISTAKES[number]:
        with pytest.raises(RuntimeError) as raised:
            mistake()
        assert any(quote in str(raised.value) for quote in quoted), str(raised.value)


def test_note_12_has_twelve_messages():
    assert [int(found) for found in re.findall(r"\*\*(\d+)\. ", note(12))] == list(range(1, 13))
