"""Sprint 23, memory of a training: ways that save memory change no gradient, and the formula is what is measured."""

import math

import pytest
import torch
from lesson_texts import lesson_texts
from torch.nn import functional

from shared.nn.gpt import GPT, GPTConfig

SPRINT = "23_loader_memory"
page, note = lesson_texts(SPRINT)
SIZE = GPTConfig(vocab_size=50, context=8, layers=2, heads=2, d_model=16, dropout=0.0)
TOKENS = torch.randint(50, (4, 9), generator=torch.Generator().manual_seed(1))


def fresh() -> GPT:
    return GPT(SIZE, torch.Generator().manual_seed(0)).double()


@pytest.fixture
def ways(load_sprint):
    return load_sprint(f"{SPRINT}/memory_study/ways.py")


def test_each_way_makes_the_step_of_the_plain_one(ways):
    results = {}
    for name in ("plain", "pieces", "recomputed", "chunks", "together"):
        way = ways.WAYS[name]
        gpt, optimizer = ways.prepare(fresh(), way, 1e-2)
        losses = [ways.step(gpt, optimizer, TOKENS, way) for _ in range(3)]
        results[name] = losses, [weight.detach().clone() for weight in gpt.parameters()]
    losses, weights = results.pop("plain")
    assert losses[0] == pytest.approx(functional.cross_entropy(fresh()(TOKENS[:, :-1]).mT, TOKENS[:, 1:]).item())
    assert losses[-1] < losses[0]
    for name, (others, other_weights) in results.items():
        assert others == pytest.approx(losses, rel=1e-12), name
        for ours, theirs in zip(weights, other_weights, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10, msg=lambda text, name=name: f"{name}: {text}")


def test_pieces_must_divide_the_rows(ways):
    gpt, optimizer = ways.prepare(fresh(), ways.Way(pieces=3), 1e-2)
    with pytest.raises(ValueError, match="4 rows cannot be cut into 3"):
        ways.step(gpt, optimizer, TOKENS, ways.Way(pieces=3))


def test_chunked_loss_has_the_gradients_of_the_plain_one(load_sprint):
    chunked = load_sprint(f"{SPRINT}/memory_study/chunked_loss.py")
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(11, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(9, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(9, (11,), generator=generator)
    plain = functional.cross_entropy(hidden @ weight.T, labels, reduction="sum")
    expected = torch.autograd.grad(3 * plain, (hidden, weight))
    for chunk in (1, 4, 11, 100):
        loss = chunked.chunked_loss(hidden, weight, labels, chunk)
        torch.testing.assert_close(loss, plain)
        torch.testing.assert_close(torch.autograd.grad(3 * loss, (hidden, weight)), expected)
    with pytest.raises(ValueError, match="at least one token, got 0"):
        chunked.chunked_loss(hidden, weight, labels, 0)


def test_eight_bit_adam_is_torchaos(load_sprint):
    reference = pytest.importorskip("torchao.optim.adam")
    states, maps = pytest.importorskip("torchao.optim.subclass_8bit"), pytest.importorskip("torchao.optim.quant_utils")
    ours = load_sprint(f"{SPRINT}/memory_study/eight_bit_adam.py")
    for signed in (True, False):
        torch.testing.assert_close(ours.dynamic_code(signed), torch.tensor(maps.create_dynamic_map(signed)))
    generator = torch.Generator().manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(64, 128, generator=generator))
    theirs, steps = weight.detach().clone(), torch.tensor(0.0)
    first, second = (states.OptimState8bit.zeros(weight.shape, signed, 256) for signed in (True, False))
    optimizer = ours.AdamW8Bit([weight], lr=1e-2)
    for _ in range(5):
        weight.grad = torch.randn(64, 128, generator=generator) * torch.rand(64, 1, generator=generator)
        optimizer.step()
        steps += 1
        rate = torch.tensor(1e-2)
        reference.single_param_adam(
            theirs, weight.grad, steps, first, second, None, rate, 0.9, 0.999, 0.01, 1e-8, True, False
        )
        torch.testing.assert_close(weight.detach(), theirs, rtol=0, atol=1e-5)
        for name, codes in (("first", first.codes), ("second", second.codes)):
            assert torch.equal(optimizer.state[weight][name].numbers.flatten(), codes.flatten()), name


def test_small_parameters_have_averages_in_floating_point_and_the_steps_of_adamw(load_sprint):
    ours = load_sprint(f"{SPRINT}/memory_study/eight_bit_adam.py")
    mine, theirs = (torch.nn.Parameter(torch.ones(3, 5)) for _ in range(2))
    pair = ours.AdamW8Bit([mine], lr=0.1), torch.optim.AdamW([theirs], lr=0.1)
    for step in range(4):
        mine.grad = theirs.grad = torch.full((3, 5), 1.0 - step)
        for optimizer in pair:
            optimizer.step()
    torch.testing.assert_close(mine, theirs)
    with pytest.raises(ValueError, match="takes no closure"):
        pair[0].step(lambda: 0.0)


def test_the_formula_is_within_a_tenth_of_what_the_allocator_says(load_sprint):
    peak = load_sprint(f"{SPRINT}/peak.py")
    ways, formula = peak.WAYS, load_sprint(f"{SPRINT}/memory_study/formula.py")
    size = GPTConfig(vocab_size=1024, context=64, layers=3, heads=2, d_model=64, dropout=0.0)
    assert formula.parameters(size) == GPT(size).parameter_count()
    config = peak.Config(rows=8, tokens=64)
    for name in ("plain", "pieces", "recomputed", "chunks", "sgd", "together"):
        measured = peak.usage_of(lambda name=name: peak.two_steps(size, config, ways[name])).peak
        assert formula.needed(size, 8, 64, ways[name]).total == pytest.approx(measured, rel=0.1), name


def test_usage_is_the_allocators(load_sprint):
    usage_of = load_sprint(f"{SPRINT}/memory_study/step_memory.py").usage_of

    def work() -> None:
        first = torch.empty(1000)
        del first
        second = torch.empty(3000)
        del second

    usage = usage_of(work)
    assert (usage.peak, usage.timeline[-1][1]) == (12_000, 0)


def test_numbers_worked_by_hand(load_sprint):
    by_hand = load_sprint(f"{SPRINT}/memory_by_hand.py")
    found = by_hand.main(by_hand.Config())
    assert found.parameters == 124_439_808
    text = note(9)
    for number in (16 * found.parameters / 1e6, found.block_megabytes, found.logits_megabytes):
        assert f"{number:,.1f} MB" in text
    assert f"{found.totals_megabytes['plain'] / 1e3:.1f} GB" in text
    norm = 4 * 8192 * 2 * 768 / 1e6
    parts = 12 * found.parameters / 1e6, 12 * found.block_megabytes, norm, 3 * found.logits_megabytes
    assert sum(parts) == pytest.approx(found.totals_megabytes["plain"])
    for part in parts:
        assert f"{part:,.1f}" in text
    assert f"{found.totals_megabytes['blocks computed twice'] / 1e3:.1f} GB" in note(10)
    assert f"{found.totals_megabytes['logits in chunks'] / 1e3:.1f} GB" in note(10)


def test_exercises_on_paper(load_sprint):
    formula, ways = (load_sprint(f"{SPRINT}/memory_study/{name}.py") for name in ("formula", "ways"))
    size = GPTConfig(50_257, 1024, 24, 16, 1024)
    both = ways.Way(recompute=True, chunk=128)
    for way, tokens in ((ways.Way(), 9000), (both, 101_000)):
        assert formula.needed(size, 1, tokens, way).total == pytest.approx(24e9, rel=0.01)
        assert f"{tokens:,}" in page
    deep = {"layers": 8, "d_model": 256, "vocab_size": 2048}  # as in peak.py
    for name in ("plain", "recomputed"):
        long, short = (
            formula.needed(GPTConfig(context=tokens, heads=4, dropout=0.0, **deep), 8, tokens, ways.WAYS[name]).total
            for tokens in (256, 128)
        )
        assert f"{long / 1e6:.1f} / {short / 1e6:.1f} = {long / short:.2f}" in page


def test_note_10_a_block_of_averages_by_hand(load_sprint):
    ours = load_sprint(f"{SPRINT}/memory_study/eight_bit_adam.py")
    values = torch.zeros(256)
    values[:4] = torch.tensor([8e-4, 4e-4, 2e-6, 1e-8])
    even, dynamic = (ours.Blockwise(values, code(False)).load()[:4] for code in (ours.linear_code, ours.dynamic_code))
    text = note(10)
    assert even[3] == 0
    assert f"{even[2].item() * 1e6:.3f} · 10" in text
    for number in dynamic[1:].tolist():
        exponent = math.floor(math.log10(number))
        assert f"{number / 10**exponent:.3f} · 10" in text, number
    assert f"{even[1].item() * 1e4:.3f} · 10" in text


def test_studies_at_a_tiny_size(load_sprint):
    states = load_sprint(f"{SPRINT}/eight_bit_states.py")
    config = states.Config(
        optimizers=("adamw", "eight_bit"), rates=(3e-3, 1e-2), steps=3, batch_size=1, held_out=8, seeds=1,
        layers=1, vocab_size=300, context=512, d_model=16,
    )  # fmt: skip
    found = states.main(config)
    again = states.main(config)
    assert found == again
    arms = found.optimizers
    assert arms["8 bits, dynamic"].losses[0] == pytest.approx(arms["AdamW, float32"].losses[0], rel=0.02)
    logits = load_sprint(f"{SPRINT}/logits_in_chunks.py")
    found = logits.main(logits.Config(tokens=64, vocab_size=200, d_model=8, chunks=(16, 64), rounds=1))
    assert found.chunks["16"].peak < found.chunks["64"].peak < found.plain
    assert all(row.gradient_difference < 1e-5 and row.loss_difference < 1e-6 for row in found.chunks.values())
    over = load_sprint(f"{SPRINT}/over_a_step.py")
    found = over.main(over.Config(layers=2, d_model=32, vocab_size=64, rows=4, tokens=16))
    assert found.peaks["plain"] > found.peaks["batch in four pieces"]
