"""The numbers that the notes and exercises of sprint 13 work out by hand."""

import math
import re

import pytest
import torch
from lesson_texts import lesson_texts
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from shared.nn.adapters import inject
from shared.nn.lora import LoRAConfig

SPRINT = "13_peft_lora"


PAGE, note = lesson_texts("13_peft_lora")


def percent(share: float, digits: int = 0) -> str:
    """Return a share as the pages write it."""
    return f"{share:.{digits}%}".replace("%", " %")


def adapter_size(layers: list[tuple[int, int]], rank: int) -> int:
    """Return how many numbers our adapters of these layers have."""
    model = nn.ModuleDict({str(number): nn.Linear(*layer, bias=False) for number, layer in enumerate(layers)})
    added = inject(model, LoRAConfig(tuple(model), rank))
    return sum(factor.numel() for layer in added.values() for factor in (*layer.down.values(), *layer.up.values()))


def test_note_1_a_layer_with_an_adapter(load_sprint):
    script = load_sprint(f"{SPRINT}/low_rank_on_paper.py")
    results = script.main(script.Config())
    assert (results.frozen, results.hidden, results.added, results.output) == ([3, 1], 2, [2, -4], [5, -3])
    assert results.merged == [[2, 0, 3], [-2, 1, -3]]
    assert results.merged_output == results.output
    assert "Add.** (3, 1) + (2, -4) = (5, -3)" in note(1)
    assert f"{adapter_size([(768, 2304)] * 12, 8):,}" in note(1)
    assert f"{percent(12 * 8 * (768 + 2304) / 124_439_808, 2)} of 124,439,808" in note(1)
    assert f"0.1296 + … = {0.36 / (1 - 0.36):.4f}" in note(1)
    # Two factorings of one change whose mean is no change
    a, b = torch.tensor([[1.0, 0]]), torch.tensor([[1.0], [0]])
    assert torch.equal(b @ a, -b @ -a)
    assert ((b - b) / 2 @ (a - a) / 2).abs().sum() == 0


def test_note_2_two_steps_of_training(load_sprint):
    script, on_paper = (load_sprint(f"{SPRINT}/{name}.py") for name in ("first_steps", "low_rank_on_paper"))
    assert (script.W, script.X, script.SCALE) == (on_paper.W, on_paper.X, on_paper.SCALE), "the layer of note 1"
    results = script.main(script.Config())
    first, second = results.steps
    assert (first.output, first.error, first.gradient_b, first.gradient_a) == ([3, 1], [-1, 0], [-4, 0], [0, 0, 0])
    assert (second.b, second.a) == ([0.2, 0], first.a) == ([0.2, 0], list(on_paper.A[0]))
    assert (second.output, second.error, second.gradient_b) == ([3.8, 1], [-0.2, 0], [-0.8, 0])
    assert second.gradient_a == [-0.08, -0.16, -0.08]
    assert results.b == [0.24, 0]
    for shown in ("(-4, 0)", "(3.8, 1)", "(-0.08, -0.16, -0.08)", "(0.24, 0)"):
        assert shown in note(2)


def test_note_2_with_both_factors_zero_nothing_moves(load_sprint):
    script = load_sprint(f"{SPRINT}/first_steps.py")
    both = script.main(script.Config(a=(0.0, 0.0, 0.0)))
    assert (both.a, both.b) == ([0, 0, 0], [0, 0])
    other = script.main(script.Config(a=(0.0, 0.0, 0.0), b=(0.5, -1.0)))
    assert other.steps[0].gradient_b == [0, 0], "with A zero and B random A moves first, as the answer says"
    assert any(other.steps[0].gradient_a)


def test_note_2_bfloat16_rounds_a_small_step_away():
    largest = torch.tensor(1 / math.sqrt(400)).bfloat16()
    assert torch.nextafter(largest, torch.tensor(1.0).bfloat16()) - largest == 2**-12
    assert largest + torch.tensor(1e-4).bfloat16() == largest


def train_by_adam(scale: float, rate_a: float, rate_b: float) -> torch.Tensor:
    """Return the change that an adapter has learnt after 20 steps of Adam."""
    generator = torch.Generator().manual_seed(0)
    target, a = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((4, 5), (2, 5)))
    a, b = a.requires_grad_(), torch.zeros(4, 2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([{"params": [a], "lr": rate_a}, {"params": [b], "lr": rate_b}], eps=1e-30)
    for _ in range(20):
        optimizer.zero_grad()
        (scale * b @ a - target).square().sum().backward()
        optimizer.step()
    return (scale * b @ a).detach()


def test_note_2_with_adam_the_scale_is_the_rate_of_b():
    torch.testing.assert_close(train_by_adam(3.0, 0.01, 0.01), train_by_adam(1.0, 0.01, 0.03))
    assert (train_by_adam(3.0, 0.01, 0.01) - train_by_adam(1.0, 0.01, 0.01)).abs().max() > 0.01


def test_note_3_memory_and_time():
    full, lora, square, thin = 124_439_808, 294_912, 768 * 768 * 512, 512 * 8 * (768 + 768)
    for number in (4 * full, 8 * full):
        assert f"{number / 1e6:.0f} MB" in note(3)
    assert f"{4 * lora / 1e6:.1f} MB | | Adam" in note(3)
    assert f"{8 * lora / 1e6:.1f} MB" in note(3)
    assert f"768 · 768 · 512 = {square / 1e6:.0f} million" in note(3)
    assert f"Together {3 * square / 1e6:.0f} million" in note(3)
    assert f"512 · 8 · (768 + 768) = {thin / 1e6:.1f} million" in note(3)
    assert f"{(2 * square + 3 * thin) / 1e6:.0f} million, **{(2 * square + 3 * thin) / (3 * square):.2f}" in note(3)
    for width in (96, 768):
        assert f"$d = {width}$ that is {2 / 3 + 32 / (3 * width):.2f}" in note(3).replace("it is", "that is")
    assert f"gives r = {(1 - 2 / 3) * 3 * 192 / 4:.0f}," in note(3)
    assert f"{6 * 768 * 12 * 512 * 4 / 1e6:.0f} MB" in note(3)


def test_note_3_what_linear_layers_keep_is_what_pytorch_keeps(load_sprint):
    counted, measured = (load_sprint(f"{SPRINT}/{name}.py") for name in ("what_is_kept", "memory"))
    kept = counted.main(counted.Config(d_model=64, layers=8, tokens=32)).megabytes
    size = measured.Config(layers=8, d_model=64, heads=2, vocab_size=16, rank=1, batch_size=2, tokens=16, device="cpu")
    full, attention, linear = (
        measured.measure(name, size).activations for name in ("full", "LoRA on c_attn", "LoRA on all linear layers")
    )
    assert full - attention == pytest.approx(kept["full"] - kept["LoRA on c_attn"], rel=0.06)
    # What is left over: the input of the head, that of the first norm and the mask of the first dropout.
    assert full - linear == pytest.approx(kept["full"] - kept["LoRA on all"], abs=0.06 * kept["full"])


def test_note_4_what_each_method_trains(load_sprint):
    script, methods = (
        load_sprint(f"{SPRINT}/what_is_trained.py"),
        load_sprint(f"{SPRINT}/adapter_study/tuning_methods.py"),
    )
    shape = {"vocab_size": 50, "n_positions": 9, "n_embd": 8, "n_layer": 3, "n_head": 2}
    size = GPT2Config(**shape, bos_token_id=0, eos_token_id=0)
    linear = ("c_attn", "attn.c_proj", "c_fc", "mlp.c_proj")
    results = script.main(script.Config(d_model=8, layers=3, vocab_size=50, positions=9, rank=2))
    for method, trained in results.trained.items():
        assert methods.count(methods.prepare(method, GPT2LMHeadModel(size), LoRAConfig(linear, 2))) == trained, method
    assert script.main(script.Config()).parameters == 2_222_208, "the shipped model"
    assert 1 < 0.01 * 3 * 192 / 4 < 2
    assert f"between 1 and 2 at 192 features, and {0.01 * 3 * 4096 / 4:.0f} at 4,096" in note(4)


def test_note_5_and_exercise_d_words_on_one_vector(load_sprint):
    script = load_sprint(f"{SPRINT}/words_that_share_a_vector.py")
    results = script.main(script.Config())
    assert results.logits == [-4, -4, 4, 4]
    for probability in results.probabilities:
        assert f"{probability:.4f}" in note(5)
    assert f"-ln 0.4998 = {results.loss_of_yuzu:.4f}" in note(5)
    assert f"ln 2 = {results.bound:.4f}" in note(5)
    generator = torch.Generator().manual_seed(0)
    for hidden in (20 * torch.randn(200, 2, generator=generator)).tolist():  # the proof, attacked
        assert script.main(script.Config(hidden=tuple(hidden))).loss_of_yuzu >= results.bound - 1e-9
    assert f"{0.25 * math.log(100):.2f} nats" in note(5)
    assert f"{0.06 * math.log(500):.3f} nats" in PAGE
    assert f"{0.06 * math.log(50):.3f}" in PAGE


def test_note_5_logits_of_unseen_words_draw_near():
    generator = torch.Generator().manual_seed(1)
    words, hidden = torch.randn(6, 3, generator=generator), torch.randn(3, generator=generator)
    weight = words.clone().requires_grad_()
    nn.functional.cross_entropy((weight @ hidden)[None], torch.tensor([0])).backward()
    assert weight.grad is not None
    p, after = (words @ hidden).softmax(dim=0), words - 0.1 * weight.grad
    change = (after[4] - after[5] - words[4] + words[5]) @ hidden
    assert change.item() == pytest.approx((-0.1 * (p[4] - p[5]) * hidden.square().sum()).item(), rel=1e-4)


def test_note_6_parts_of_rank_1(load_sprint):
    script = load_sprint(f"{SPRINT}/cut_to_a_rank.py")
    results = script.main(script.Config())
    assert results.kept == results.parts[0] == [[2, -2], [4, -4]]
    assert results.parts[1] == [[2, 2], [-1, -1]]
    assert results.energy == pytest.approx(0.8)
    assert results.squared_error == pytest.approx(10)
    assert [f"{value:.2f}" for value in results.singular_values] == ["6.32", "3.16"]
    generator, best = torch.Generator().manual_seed(0), 10.0
    for _ in range(300):  # no other matrix of rank 1 is nearer
        column, row = torch.randn(2, 1, generator=generator), torch.randn(1, 2, generator=generator)
        part = column @ row
        change = torch.tensor(script.CHANGE)
        part = part * (change * part).sum() / part.square().sum()
        assert (change - part).square().sum() >= best - 1e-4
    edge = load_sprint(f"{SPRINT}/singular_values.py").marchenko_pastur
    assert (f"{edge(192, 192):.2f}", f"{edge(8, 8):.2f}", edge(100, 100)) == ("0.14", "0.71", pytest.approx(0.2))
    assert f"36 / 49 = {percent(36 / 49)}" in note(6)


def test_note_6_adam_makes_full_rank_of_low_rank():
    generator = torch.Generator().manual_seed(0)
    columns, rows = torch.randn(2, 3, 64, generator=generator, dtype=torch.float64)
    gradients = columns[:, :, None] * rows[:, None, :]  # (3, 64, 64), each of rank 1
    assert torch.linalg.matrix_rank(gradients.sum(dim=0)) == 3
    assert torch.linalg.matrix_rank(gradients.sum(dim=0) / gradients.square().sum(dim=0).sqrt()) == 64
    small = torch.tensor([[[1.0, 3], [-1, -3]], [[1, -1], [1, -1]]])
    quotient = small.sum(dim=0) / small.square().sum(dim=0).sqrt()
    assert [f"{number:.2f}" for number in quotient.flatten().tolist()] == ["1.41", "0.63", "0.00", "-1.26"]


def test_note_7_three_users(load_sprint):
    script = load_sprint(f"{SPRINT}/one_base_two_adapters.py")
    assert script.main(script.Config()).outputs == {"none": [2, 1], "pirate": [5, 1], "haiku": [2, 3]}
    assert f"(8,000 - 1,000) / 10 = {(8000 - 1000) / 10:.0f}" in note(7)
    assert f"$16rd / 12d^2$ = {percent(16 * 2 / (12 * 192), 1)}" in note(7)


def test_note_8_the_adapter_of_smollm2():
    layers = [(576, 576), (576, 192), (576, 192), (576, 576), (576, 1536), (576, 1536), (1536, 576)]
    assert adapter_size(layers, 1) == 10_176
    for rank in (1, 8, 32):
        assert f"{adapter_size(layers * 30, rank):,}" in note(8)
    assert f"{adapter_size(layers[:3] * 30, 8):,}" in note(8)
    weights = sum(inputs * outputs for inputs, outputs in layers)
    assert f"{weights:,}" in note(8)
    assert f"the share is {percent(8 * 10_176 / weights, 1)}" in note(8)
    assert f"4 · 8 / (3 · 576) = {percent(32 / (3 * 576), 1)}" in note(8)
    for rank in (8, 32):
        assert f"{percent(rank * 305_280 / 134_515_008, 1)} of the model" in note(8)
    assert f"{8192 * 49_152 * 4 / 1e9:.1f} GB" in note(8)
    assert f"{adapter_size(layers[4:], 1):,} of the {adapter_size(layers, 1):,}" in note(8)
    assert f"{adapter_size([layers[0], layers[2]], 1):,}, a fifth" in note(8)


def test_exercises_a_b_and_c():
    layers = [(64, 192), (64, 64), (64, 256), (256, 64)]
    weights = sum(inputs * outputs for inputs, outputs in layers)
    assert f"{weights:,} weights" in PAGE
    assert adapter_size(layers, 4) == 4096
    assert adapter_size(layers, 48) == weights
    assert f"4,096 numbers, {percent(4096 / weights, 1)}" in PAGE
    assert f"28 + 28 + 56 = {7 * (4 + 4 + 8)} GB" in PAGE
    assert f"{28 + 0.02 * 16:.1f} GB" in PAGE
    assert f"{14 + 0.02 * 16:.1f} GB" in PAGE
    weight, x = torch.tensor([[1.0, 1.0]]), torch.tensor([1.0, 1.0])
    a, b = torch.tensor([[1.0, 2.0]], requires_grad=True), torch.zeros(1, 1, requires_grad=True)
    to_a, to_b = torch.autograd.grad(((weight @ x + b @ (a @ x) - 5) ** 2 / 2).sum(), (a, b))
    assert (to_a.tolist(), to_b.tolist()) == ([[0, 0]], [[-9]])
    assert re.search(r"2 \+ 0\.9 · 3 = 4\.7", PAGE)
