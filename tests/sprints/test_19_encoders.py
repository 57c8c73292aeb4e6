"""Sprint 19, notes 1 to 4: what they work out by hand, and the claims of their scripts at a tiny size."""

import math

import pytest
import torch
from lesson_texts import lesson_texts, shown

FOLDER = "19_transformer_variants"
page, note = lesson_texts(FOLDER)


@pytest.fixture
def load(load_sprint):
    return lambda script: load_sprint(f"{FOLDER}/{script}.py")


def test_note_1_ten_tokens_by_hand(load):
    script = load("masking_by_hand")
    found = script.main(script.Config())
    shown(note(1), *(loss for loss, hit in zip(found.losses, found.chosen, strict=True) if hit))
    shown(note(1), found.loss, found.times_mask, found.with_padding, found.everything)
    assert found.at_once == pytest.approx(found.loss, abs=1e-6)
    for numbers in ([f"{draw:.2f}" for draw in script.CHOICE], found.inputs, [f"{p:.2f}" for p in script.GIVEN]):
        assert " | ".join(numbers) in note(1).replace("**", "")
    assert found.eligible == [word in ("beat", "two", "eggs", "with", "the", "sugar") for word in script.TEXT]
    with pytest.raises(ValueError, match="--masked and --random"):
        script.Config(masked=0.8, random=0.3).check()


def test_note_2_embeddings_head_and_labels_by_hand(load):
    script = load("bert_by_hand")
    found = script.main(script.Config())
    text = note(2)
    shown(text, *found.embedded[0], *found.embedded[1][1:], *found.activated[::2], *found.normalised, *found.logits)
    shown(text, *found.probabilities, found.loss)
    assert f"{found.ignored:.4f}" in text
    assert found.of_the_class == pytest.approx(found.logits, abs=1e-5)
    embeddings, head = (30_522 + 512 + 2) * 768 + 2 * 768, 768 * 768 + 768 + 2 * 768 + 30_522
    assert f"{embeddings:,}" in text
    assert f"{head:,}" in text


def test_note_3_positions_and_replaced_words_by_hand(load):
    script = load("electra_by_hand")
    found, other = script.main(script.Config()), script.main(script.Config(draws=(0.7, 0.2)))
    shown(note(3), *found.losses, found.loss, found.base_rate, *other.losses, other.loss)
    assert found.at_once == pytest.approx(found.loss, abs=1e-6)
    assert [found.filled[place] for place in (1, 3)] == ["two", "and"]
    assert [other.filled[place] for place in (1, 3)] == ["three", "with"]


def test_note_3_positions_are_the_librarys_by_one_rule_alone(load):
    script = load("wrong_positions")
    rules = script.main(script.Config()).rules
    assert all(gap < 1e-4 for gap in rules["count real tokens from 2"].difference.values())
    assert rules["2, 3, 4, ..., padding counted"].difference["right"] < 1e-4
    assert rules["2, 3, 4, ..., padding counted"].difference["left"] > 1e-2
    for rule, side, name, row in (
        ("count real tokens from 2", "right", "padding on the right", "a b c d e P P P"),
        ("count real tokens from 2", "left", "padding on the left", "P P P a b c d e"),
        ("0, 1, 2, ... as BERT", "left", "BERT, padding on the left", "P P P a b c d e"),
    ):
        assert f"| {name} | {row} | {' '.join(map(str, rules[rule].positions[side]))} |" in note(3)


def test_note_4_gates_and_bands_by_hand(load):
    script = load("modernbert_by_hand")
    found = script.main(script.Config())
    shown(note(4), *found.gates, *found.gated, found.output)
    assert found.by_the_module == pytest.approx(found.output, abs=1e-6)
    assert [sum(row) for row in found.reached] == [5, 9]
    from shared.nn.modern_bert import local_mask

    for tokens, reach in ((100, 64), (7, 0), (5, 9), (20, 3)):
        assert script.scores_of_a_local_layer(tokens, reach) == int(local_mask(tokens, reach).sum())
    assert f"{script.scores_of_a_local_layer(100, 64):,}" in note(4)
    assert script.plot(found) is not None


def test_counts_agree_with_the_collator_and_a_fault_does_not(load):
    script = load("masked_counts")
    found = script.main(script.Config(rows=300))
    for name in ("transformers", "ours"):
        assert found.maskers[name].against_the_rule > 1e-4
        assert found.maskers[name].specials_touched == 0
    assert found.maskers["never a random token"].against_the_rule < 1e-6
    assert found.maskers["padding masked too"].specials_touched > 0


def test_every_encoder_is_the_librarys(load):
    script = load("equals_the_library")
    found = script.main(script.Config(layers=2, tokens=5))
    assert set(found.classes) == set(script.OURS)
    assert all(row.outputs < 1e-5 and row.gradients < 1e-5 for row in found.classes.values())


def test_ignored_labels_leave_one_answer(load):
    script = load("next_sentence")
    small = {"d_model": 8, "layers": 1, "batch_size": 16, "pairs": 100, "rates": (3e-2,), "seeds": 1}
    found = script.main(script.Config(steps=25, **small))
    runs = found.arms["ignore_index=0"].runs
    assert all((run.same_topic, run.other_topic) == (0, 1) for run in runs)
    assert all(run.printed[-1] < run.printed[0] / 5 for run in runs)
    assert script.train(script.Config(steps=25, **small), 0, 3e-2, 0).loss == runs[0].loss
    assert script.plot(found) is not None


def test_topics_agree_with_their_labels(load_sprint):
    topics = load_sprint(f"{FOLDER}/variants/topics.py")
    world = topics.Topics(3, 5, 4)
    tokens, segments, labels = topics.draw_pairs(world, 50, torch.Generator().manual_seed(0))
    assert tokens.shape == (50, world.tokens)
    first, second = tokens[:, 1:5] // 5, tokens[:, 6:10] // 5
    assert torch.equal((first[:, 0] != second[:, 0]).long(), labels)
    assert segments[0].tolist() == [0] * 6 + [1] * 5
    assert tokens.max() < world.vocab_size


def test_wrong_maskings_print_what_they_say(load):
    script = load("wrong_masking")
    small = {"vocab_size": 300, "recipes": 4, "d_model": 8, "layers": 1, "batch_size": 4, "rates": (1e-3,), "seeds": 1}
    found = script.main(script.Config(steps=1, measured=64, **small))
    means = {name: arm.means for name, arm in found.arms.items()}
    # Untrained, every token costs about ln(vocab), whatever became of it, and every version but one prints that.
    for name, arm in means.items():
        assert arm["masked"][0] == pytest.approx(math.log(304), rel=0.15), name
        if name != "mean of losses times mask":
            assert arm["printed"][0] == pytest.approx(arm["masked"][0], rel=0.1), name
    wrong = means["mean of losses times mask"]["printed"][0]
    assert wrong < 0.15 * means["right"]["printed"][0]
    assert 0.1 < found.padding < 0.6


def test_sentences_are_framed_and_padded(load_sprint):
    sentences = load_sprint(f"{FOLDER}/variants/sentences.py")
    specials = sentences.Specials(10, 11, 12, 13)
    rows = sentences.as_rows([[1, 2, 3], [4]], specials)
    assert rows.tokens.tolist() == [[11, 1, 2, 3, 12], [11, 4, 12, 13, 13]]
    assert rows.real.sum(dim=1).tolist() == [5, 3]
    assert rows.eligible.sum(dim=1).tolist() == [3, 1]


def test_what_is_asked_of_a_batch_and_how_far_news_travels(load):
    words = 32 * 128 * 3 // 4 - 64
    for number in (f"{words:,}", f"{0.15 * words:.1f}", f"{0.12 * words:.1f}", f"{0.015 * words:.1f}"):
        assert number in page
    assert f"{4 * 0.15 * words / 4096:.3f}" in page
    local = load("modernbert_by_hand").scores_of_a_local_layer(1000, 64)
    assert f"{local:,}" in page
    assert f"{(4e6 + 8 * local) / 12e6:.1%}".replace("%", " %") in page
    assert f"so {math.ceil(999 / 64)} layers" in page
