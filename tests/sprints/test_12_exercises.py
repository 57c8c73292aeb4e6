"""The numbers that the notes and exercises of sprint 12 work out by hand."""

import math

import numpy as np
import torch
from lesson_texts import lesson_texts

from shared.text.batches import TextDataset
from shared.training.losses import token_losses

FOLDER = "12_finetune_gpt2_generative"
PAGE, note = lesson_texts(FOLDER)


def numbers(values, form: str = ".3f") -> str:
    return ", ".join(f"{value:{form}}" for value in values)


def test_note_1_a_scene_in_blocks():
    data = TextDataset([list(range(8))], 3)
    assert (data.blocks, data.fresh) == ([[0, 1, 2, 3], [3, 4, 5, 6], [6, 7]], [3, 3, 1])
    other = TextDataset([list(range(20))], 8)
    assert f"19 targets; ⌈19 / 8⌉ = {len(other)} blocks, with 8, 8 and 3" in note(1)
    assert other.fresh == [8, 8, 3]


def test_note_2_losses_and_perplexity(load_sprint):
    script = load_sprint(f"{FOLDER}/teacher_forcing.py")
    results = script.main(script.Config())
    assert [f"{loss:.3f}" for loss in results.losses] == ["0.693", "1.386", "2.079"]
    assert (f"{results.mean:.3f}", f"{results.perplexity:.2f}") == ("1.386", "4.00")
    good, bad = (script.main(script.Config(probabilities=(0.9, 0.9, last))) for last in (0.9, 0.009))
    assert f"{good.mean:.3f} nats and {good.perplexity:.2f}" in note(2)
    assert f"{bad.losses[2]:.3f}, the mean is {bad.mean:.3f} and the perplexity {bad.perplexity:.2f}" in note(2)
    # The same by the loss of the repository: logits are the logarithms of the probabilities.
    rows = [[p, 1 - p] for p in (0.5, 0.25, 0.125)]
    logits, tokens = torch.tensor([rows]).log(), torch.tensor([[1, 0, 0, 0]])
    assert token_losses(logits, tokens)[0].tolist() == [
        torch.tensor(loss).item() for loss in results.losses
    ] or torch.allclose(token_losses(logits, tokens)[0], torch.tensor(results.losses))


def test_note_3_two_words_are_pushed_the_same_way(load_sprint):
    script = load_sprint(f"{FOLDER}/words_never_seen.py")
    results = script.main(script.Config())
    first, second = results.first_probabilities
    assert (f"{first[2]:.3f}", f"{second[2]:.3f}") == ("0.339", "0.361")
    assert (f"{first[3]:.3f}", f"{second[3]:.3f}") == ("0.065", "0.094")
    assert f"({numbers(results.first_gradient['yuzu'])})" in note(3)
    assert f"({numbers(results.first_gradient['lard'])})" in note(3)
    assert results.cosine[0] < -0.7 < 0.99 < results.cosine[1]
    # The gradient by autograd is the one of the formula.
    vectors = torch.tensor(script.START, requires_grad=True)
    logits = torch.tensor(script.HIDDEN) @ vectors.mT
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1])).backward()
    assert vectors.grad is not None
    assert torch.allclose(vectors.grad, torch.tensor([*results.first_gradient.values()]), atol=1e-6)


def test_note_4_and_b_what_readers_expect(load_sprint):
    script = load_sprint(f"{FOLDER}/what_a_reader_expects.py")
    results = script.main(script.Config())
    assert [f"{p:.3f}" for p in results.knows_all] == ["0.462", "0.308", "0.154", "0.077"]
    assert [f"{p:.3f}" for p in results.spells[:3]] == ["0.472", "0.283", "0.094"]
    assert (f"{results.something_new:.2f}", f"{results.nats_of_a_new_one:.1f}") == ("0.15", "15.7")
    assert f"{results.spells[3]:.1e}" in note(4)
    assert f"{script.expects_something_new([1] * 9):.2f}" == "0.95"
    many = script.main(script.Config(counts=(50, 30, 10, 0)))
    assert f"{many.something_new:.4f}" in note(4)
    assert f"{many.nats_of_a_new_one:.1f} nats: rarer" in note(4)
    paper = script.main(script.Config(counts=(3, 1, 2, 0, 0), tokens=2))
    assert numbers(paper.knows_all) in PAGE
    assert f"{paper.something_new:.3f}" in PAGE
    assert f"{paper.spells[1]:.3f}, which costs {-math.log(paper.spells[1]):.2f} nats" in PAGE
    assert f"{paper.nats_of_a_new_one:.2f} nats" in PAGE


def test_note_5_and_a_strides():
    loss = {1: 2.0, 2: 1.5, 3: 1.2}
    means = {}
    for stride in (3, 2, 1):
        data = TextDataset([list(range(8))], 3, stride)
        before = [at for block, new in zip(data.blocks, data.fresh, strict=True) for at in range(len(block))[-new:]]
        means[stride] = sum(loss[count] for count in before) / len(before)
        computed = sum(len(block) - 1 for block in data.blocks) / 7
        assert stride != 1 or f"{computed:.1f}" == "2.1"
    assert (f"{means[3]:.3f}", f"{math.exp(means[3]):.2f}") == ("1.629", "5.10")
    assert (f"{means[1]:.3f}", f"{math.exp(means[1]):.2f}") == ("1.357", "3.89")
    assert f"mean {means[2]:.3f}" in note(5)
    long = TextDataset([list(range(200))], 64, 16)
    assert len(long.blocks[1]) - long.fresh[1] == 49
    side, over = (TextDataset([list(range(41))], 16, stride) for stride in (16, 8))
    assert (side.fresh, len(over), sum(len(block) - 1 for block in over.blocks)) == ([16, 16, 8], 4, 64)


def test_note_6_copies_by_hand(load_sprint):
    script = load_sprint(f"{FOLDER}/longest_copies.py")
    results = script.main(script.Config())
    assert results.lengths == [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 1, 2, 1]
    assert f"9 of 13, a share of {100 * results.share:.0f} %" in note(6)
    other = script.main(script.Config(text="salt the butter"))
    assert (other.longest, other.lengths[8]) == (13, 9)


def test_note_7_and_e_one_weight(load_sprint):
    script = load_sprint(f"{FOLDER}/two_texts_one_weight.py")
    results = script.main(script.Config(steps=2000))
    assert (round(results.without.old_loss, 6), round(results.without.new_loss, 6)) == (2, 0)
    assert (round(results.rehearsed.old_loss, 6), round(results.rehearsed.new_loss, 6)) == (0.5, 0.125)
    half = script.main(script.Config(share=0.5, steps=2000))
    assert round(half.rehearsed.weights[-1], 6) == round(half.rehearsed.best_weight, 6) == 0.2
    tenth = script.main(script.Config(share=0.1, steps=2000)).rehearsed
    assert f"= {tenth.best_weight:.3f}. Old loss {tenth.old_loss:.3f}, new loss {tenth.new_loss:.3f}" in PAGE


def test_note_8_and_c_perplexity_needs_its_unit():
    assert len("melt it") == 7
    assert (f"{math.exp(3.0):.1f}", f"{math.exp(1.6):.2f}") == ("20.1", "4.95")
    assert f"per character {2 * 3.0 / 7:.3f} and {4 * 1.6 / 7:.3f}" in note(8)
    assert f"{250 * math.log(12):.0f} nats. B: 400 · ln 5 = {400 * math.log(5):.0f} nats" in PAGE
    assert f"{0.25 * math.log(12):.3f} nats per character against {0.4 * math.log(5):.3f}" in PAGE


def test_note_8_a_held_out_window_was_learnt(load_sprint):
    shared = load_sprint(f"{FOLDER}/leaking_split.py").shared_ngrams
    windows = [list(range(start, start + 4)) for start in range(1, 10)]
    rest = [window for window in windows if window[0] != 4]
    assert (len(windows), shared(rest, [[4, 5, 6, 7]], 3)) == (9, 1)
    assert shared([window for window in windows if window[-1] <= 8], [[9, 10, 11, 12]], 3) == 0


def test_note_8_text_that_is_learnt_with_two_shifts_is_written_backwards():
    text = "abcabcabc"
    after = {text[at]: text[at + 2] for at in range(len(text) - 2)}
    written = "a"
    while len(written) < 6:
        written += after[written[-1]]
    assert written == "acbacb"


def test_note_9_and_d_what_fits(load_sprint):
    script = load_sprint(f"{FOLDER}/memory_of_a_step.py")
    ways = list(script.main(script.Config()).ways.values())
    whole, quarter = ways[0], next(iter(script.main(script.Config(rows=1)).ways.values()))
    parts = (whole.weights, whole.gradients, whole.moments, whole.logits, whole.kept)
    assert [f"{part:,.0f}" for part in parts] == ["538", "538", "1,076", "604", "2,171"]
    assert 12 * 576 + 4 * 1536 + 2 * 9 * 256 == 17_664
    assert f"{whole.total / 1000:.1f} GB, of which the model is a ninth" in note(9)
    assert round(whole.total / whole.weights) == 9
    assert f"{ways[2].kept:,.0f} MB instead of {whole.kept:,.0f}" in note(9)
    assert f"{quarter.logits:,.0f} MB and {quarter.kept:,.0f} MB" in note(9)
    assert f"{quarter.total:,.0f} MB" in note(9)
    assert f"{16 * 256 * 49_152 * 4 / 1e6:,.0f} MB" in note(9)
    assert ((6 + 4) / (2 + 8), (6 / 2 + 4 / 8) / 2) == (1.0, 1.75)
    assert f"{0.36 * 16:.1f} GB. With 4 rows it would be {0.36 * 16 + 4.4:.1f} GB" in PAGE
    assert f"{0.36 * 16 + 4.4 / 4:.1f} GB in all" in PAGE


def test_note_10_mixtures(load_sprint):
    script, mixtures = (load_sprint(f"{FOLDER}/{name}.py") for name in ("mixing_by_hand", "book_finetuning/mixtures"))
    results = script.main(script.Config())
    assert [f"{loss:.3f}" for loss in (*results.losses, results.mean_loss, results.loss_of_mean)] == [
        "0.105", "2.303", "1.204", "0.693",
    ]  # fmt: skip
    far = script.main(script.Config(probabilities=(0.99, 0.01)))
    assert f"{numbers(far.losses[:1])} and {far.losses[1]:.3f}, on average {far.mean_loss:.3f}" in note(10)
    assert f"a gain of {far.mean_loss - far.loss_of_mean:.3f}" in note(10)
    parts = np.array([[0.6, 0.1], [0.2, 0.2]])
    weights = [mixtures.best_weights(parts, rounds) for rounds in (0, 1, 2000)]
    losses = [mixtures.mixture_loss(pair, parts) for pair in weights]
    assert f"(−ln 0.4 − ln 0.15) / 2 = {losses[0]:.3f} nats" in note(10)
    assert f"(3/4 + 1/3) / 2 = {weights[1][0]:.3f}, and the second model's {weights[1][1]:.3f}" in note(10)
    assert f"Now the loss is {losses[1]:.3f}. Further rounds come ever closer to the weights 3/4" in note(10)
    assert f"where it is {losses[2]:.3f}" in note(10)
    assert np.allclose(weights[2], (0.75, 0.25), atol=1e-3)
    geometric = np.sqrt([0.9 * 1e-6, 0.1 * (1 - 1e-6)])
    assert [f"{mean:.2g}" for mean in geometric] == ["0.00095", "0.32"]
    truth = geometric[0] / geometric.sum()
    assert (f"{truth:.3f}", f"{-math.log(truth):.1f}", f"{-math.log(0.45):.1f}") == ("0.003", "5.8", "0.8")
