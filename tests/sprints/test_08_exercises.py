"""What the notes and exercises of sprint 8 work out by hand."""

import json
import math
import re
from pathlib import Path

import pytest
import torch
from lesson_texts import lesson_texts
from torch import nn
from torch.nn import functional
from transformers import GPT2LMHeadModel

from shared.lab.modules import load_module
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.inverted import invert_masks
from shared.nn.pretrained import SHIPPED_FOLDER
from shared.text.corpora import cookbook_tokenizer
from shared.text.tokenizers import Tokenizer
from shared.training.losses import next_token_loss

SPRINT = Path(__file__).parents[2] / "sprints/08_gpt2_assembly"
PAGE, note = lesson_texts("08_gpt2_assembly")


def parameters(**sizes: int) -> int:
    with torch.device("meta"):
        return GPT(GPTConfig(**sizes)).parameter_count()


@pytest.mark.parametrize("text", [[2, 0], [1, 2]])
def test_a_model_without_blocks(text: list[int]):
    words = torch.tensor([[1.0, 0], [0, 1], [2, -1]])
    places = torch.tensor([[0.0, 1], [0.5, 0], [0, 0]])
    x = words[text] + places[:2]
    assert x.tolist() == {2: [[2, 0], [1.5, 0]], 1: [[0, 2], [2.5, -1]]}[text[0]]
    logits = words @ functional.layer_norm(x, (2,))[1]
    assert logits.tolist() == pytest.approx([1, -1, 3], abs=1e-3)
    powers = torch.tensor([1.0, -1, 3]).exp()
    shown = [f"{weight:.3f}" for weight in powers / powers.sum()]
    assert f"{powers.sum():.3f}" == "23.172"
    assert all(f"{weight}" in note(1) and f"{weight}" in PAGE for weight in shown)


def test_two_softmaxes_have_a_floor():
    assert f"ln(1 + 50,256 / e) = {math.log(1 + 50_256 / math.e):.1f}" in note(1)
    best = torch.zeros(50_257, dtype=torch.float64)
    best[0] = 1.0  # the most certain probabilities, taken for logits
    assert -best.log_softmax(dim=0)[0].item() == pytest.approx(math.log(1 + 50_256 / math.e))


def test_the_first_token_of_note_1_alone_has_no_variance():
    assert functional.layer_norm(torch.tensor([1.0, 1]), (2,)).tolist() == [0, 0]


def test_six_words(load_sprint):
    script = load_sprint("08_gpt2_assembly/one_word.py")
    results = script.main(script.Config(merges=7))
    assert [("".join(merge.pair), merge.count) for merge in results.merges] == [
        ("er", 11), ("lo", 9), ("low", 9), ("ew", 8), ("new", 8), ("newer", 5), ("der", 4),
    ]  # fmt: skip
    assert results.counts_at_first["o w"] == 9
    assert results.counts_at_first["n e"] == results.counts_at_first["e w"] == 8
    table = re.search(r"\| count \|([\d |]+)\|", note(2))
    assert table is not None
    assert [int(count) for count in table[1].split("|")] == list(script.WORDS.values())
    assert results.encoded[-1] == ("s", "low", "er")
    rest = script.main(script.Config(merges=6)).merges[-1].words
    pairs = script.count_pairs(dict(zip(rest, script.WORDS.values(), strict=True)))
    assert pairs == {("low", "er"): 2, ("s", "low"): 1, ("w", "i"): 4, ("i", "d"): 4, ("d", "er"): 4}


def test_banana():
    bpe = load_module(SPRINT / "exercises/05_merges/solution.py")
    merges = bpe.learn_merges({"banana": 5, "bandana": 3}, 3)
    assert merges == [("a", "n"), ("an", "a"), ("b", "an")]
    assert bpe.encode("nana", merges) == ["n", "ana"]
    assert bpe.encode("abc", [("b", "c"), ("a", "b")]) == ["a", "bc"]
    assert bpe.encode("abc", [("a", "b"), ("b", "c")]) == ["ab", "c"]


def test_the_shipped_model_by_hand():
    sizes = {"vocab_size": 2048, "context": 256, "layers": 4, "heads": 4, "d_model": 192}
    assert f"{12 * 192**2 + 13 * 192:,}" in note(3)
    assert f"{parameters(**sizes):,} in all" in note(3)
    assert f"{4 * parameters(**sizes) / 1e6:.1f} MB" in note(3)
    assert (SPRINT.parents[1] / "data/models/cookbook-gpt2/model.safetensors").stat().st_size == pytest.approx(
        4 * parameters(**sizes), rel=0.01
    )


def test_how_large_is_it():
    sizes = {"vocab_size": 10_000, "context": 512, "layers": 6, "heads": 8, "d_model": 256}
    tied = parameters(**sizes)
    assert f"{tied:,} tied" in PAGE
    assert f"{parameters(**sizes, tie_weights=False):,} untied" in PAGE
    assert f"{4 * tied / 1e6:.1f} MB of weights" in PAGE
    assert f"{16 * tied / 1e6:.1f} MB" in PAGE


def test_sums_of_coins():
    sums = [sum(1 - 2 * (throw >> coin & 1) for coin in range(4)) for throw in range(16)]
    assert sum(total**2 for total in sums) / 16 == 4
    assert "four coins the mean square is 4" in note(5)
    assert f"√96 ≈ {math.sqrt(96):.1f}" in note(5)
    assert f"√24 · s = {math.sqrt(24):.1f} s" in note(5)


def test_first_losses():
    for vocab_size, shown in ((512, "6.24"), (50_257, "10.82"), (2048, "7.62")):
        assert f"{math.log(vocab_size):.2f}" == shown
        assert shown in note(5)
    assert f"ln 32,000 = {math.log(32_000):.2f}" in PAGE
    assert f"{math.log(50_257) + 0.0004 * 768 / 2:.2f}" in note(5)
    assert f"{math.log(512) + 0.0004 * 128 / 2:.2f}" in note(5)
    assert f"{math.sqrt(0.0004 * 768 / 12):.2f} for GPT-2 small on the dozen tokens" in note(5)


def test_a_large_start_has_a_first_loss_in_the_hundreds():
    generator = torch.Generator().manual_seed(0)
    tokens, features = torch.randint(50_257, (64,), generator=generator), torch.randn(64, 768, generator=generator)
    logits = features @ torch.randn(50_257, 768, generator=generator).mT
    assert logits.std().item() == pytest.approx(math.sqrt(768), rel=0.02)
    assert functional.cross_entropy(logits, tokens).item() > 100


def test_the_first_loss_finds_labels_that_are_not_shifted_and_no_inverted_mask():
    generator = torch.Generator().manual_seed(0)
    model = GPT(GPTConfig(512, 64, 4, 4, 128, dropout=0.0), generator).eval()
    tokens = torch.randint(512, (4, 64), generator=generator)
    with torch.no_grad():
        unshifted = functional.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten()).item()
        assert unshifted < math.log(512) - 0.5
        assert next_token_loss(model(tokens), tokens).item() == pytest.approx(math.log(512), abs=0.1)
        invert_masks(model)
        assert next_token_loss(model(tokens), tokens).item() == pytest.approx(math.log(512), abs=0.1)


def test_conv1d_without_transposing(load_sprint):
    script = load_sprint("08_gpt2_assembly/stored_the_other_way.py")
    results = script.main(script.Config())
    assert results.conv1d == results.transposed == [7, 2]
    assert results.copied == [1, 5]
    assert "(1 · 1 + 2 · 3, 1 · 0 + 2 · 1) = (7, 2)" in note(6)
    assert "(1 · 1 + 2 · 0, 1 · 3 + 2 · 1) = (1, 5)" in note(6)
    assert script.plot(results).axes


def test_the_tied_head_of_the_model_without_blocks(load_sprint):
    script = load_sprint("08_gpt2_assembly/one_matrix_two_uses.py")
    results = script.main(script.Config())
    assert results.logits == pytest.approx([1, -1, 3], abs=1e-3)
    assert results.looked_up == [[2, -1], [1, 0]]
    assert results.parameters == 6, "one matrix, not two"
    assert script.plot(results).axes
    words = [f"{index}, *{word}* | ({x:g}, {y:g})" for index, (word, (x, y)) in enumerate(
        zip(script.WORDS, script.VECTORS, strict=True))]  # fmt: skip
    assert all(line.replace("-", "−") in note(1) for line in words)


def test_the_order_of_a_sum():
    large, one = torch.tensor(16_777_216.0), torch.tensor(1.0)
    assert ((large + one) + one).item() == 16_777_216
    assert (large + (one + one)).item() == 16_777_218
    x = torch.linspace(-6, 6, 10_001)
    assert (functional.gelu(x) - functional.gelu(x, approximate="tanh")).abs().max().item() < 0.0005


def test_gelu_as_the_hints_say():
    hints = (SPRINT / "exercises/02_feed_forward/hints.md").read_text(encoding="utf-8")
    one, minus_one = functional.gelu(torch.tensor([1.0, -1.0]), approximate="tanh").tolist()
    assert f"GELU(1) about {one:.4f}, GELU(-1) about {minus_one:.4f}" in hints


def test_the_other_gelu_shows_in_the_logits_of_the_trained_model():
    model = GPT2LMHeadModel.from_pretrained(SHIPPED_FOLDER).eval()
    text = "Serves 4\n\nIngredients\n200 g cold unsalted butter"
    tokens = torch.tensor([Tokenizer.load(SHIPPED_FOLDER).encode(text)])
    with torch.no_grad():
        expected = model(tokens, use_cache=False).logits
        ours = GPT.from_transformers(model)(tokens)
        for block in model.transformer.h:
            block.mlp.act = nn.GELU()
        away = (model(tokens, use_cache=False).logits - expected).abs().max().item()
    assert f"logits of up to {expected.abs().max().item():.0f} are off by {away:.4f} at most" in note(6)
    assert (ours - expected).abs().max().item() < away / 50


def test_parameters_memory_and_operations_of_gpt2():
    block, blocks = 12 * 768**2 + 13 * 768, 12 * (12 * 768**2 + 13 * 768)
    assert f"{block:,} a block and {blocks:,} in twelve" in note(7)
    total = blocks + (50_257 + 1024 + 2) * 768
    assert f"**{total:,}**" in note(7)
    tokens = 8 * 1024
    activations, logits = 4 * tokens * 12 * 16 * 768 / 1e9, 4 * tokens * 50_257 / 1e9
    assert f"{activations:.2f} GB" in note(7)
    assert f"{logits:.2f} GB" in note(7)
    assert f"{3 * logits:.2f} GB" in note(7)
    assert f"Together {12 * total / 1e9 + activations + 3 * logits:.1f} GB" in note(7)
    assert f"{12 * total / 1e9 + (activations + 3 * logits) / 2:.1f} GB" in note(7)
    assert f"{4 * 12 * 1024 * 768 / 1e6:.1f} million" in note(7)
    assert f"{2 * 50_257 * 768 / 1e6:.1f} million" in note(7)
    assert f"{4 * 16 * 1024 * 50_257 / 1e9:.1f} GB of logits" in note(7)
    assert f"{12 * total / 1e9:.2f} GB" in note(8)


def test_what_dropout_keeps():
    results = json.loads((SPRINT / "results/what_training_needs.json").read_text(encoding="utf-8"))["results"]
    weights = 4 * 3 * 12 * 8 * 12 * 1024**2 / 1e9
    assert f"{weights:.1f} GB" in note(7)
    # Behind the embedding and behind each part of a block, dropout keeps what it multiplies the features by.
    features = 4 * 25 * 8 * 1024 * 768 / 1e9
    more = results["counted_with_dropout"] - results["sizes"]["gpt2"]["counted"]
    assert more == pytest.approx(weights + features, rel=0.001)


def test_five_hundred_recipes_run_out_of_merges():
    assert f"after {cookbook_tokenizer(4096, recipes=500).backend.get_vocab_size():,} each piece" in note(2)


def test_momentum_that_is_forgotten():
    memory, weight, weights = 0.0, 10.0, []
    for _ in range(3):
        memory = 0.9 * memory + 1
        weight -= memory
        weights.append(round(weight, 2))
    assert weights == [9, 7.1, 4.39]
    assert weights[1] - 1 == pytest.approx(6.1)
    assert "**4.39**" in note(8)
    assert "**6.1**" in note(8)
