"""Packing in sprint 23: rows within their bounds, packed documents as if alone, libraries, and the notes' numbers."""

import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lesson_texts import lesson_texts, shown

from shared.nn.attention import attend
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.masks import causal_mask
from shared.training.losses import token_losses

SPRINT = "23_loader_memory"
PAGE, note = lesson_texts(SPRINT)
LENGTHS = st.lists(st.integers(1, 20), min_size=1, max_size=10)


@pytest.fixture
def packing(load_sprint):
    return load_sprint(f"{SPRINT}/memory_study/packing.py")


@pytest.fixture
def packed_documents(load_sprint):
    return load_sprint(f"{SPRINT}/memory_study/documents.py")


def tiny_gpt(context: int = 16) -> GPT:
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=23, context=context, layers=2, heads=2, d_model=8, dropout=0.0)).eval()
    with torch.no_grad():  # as GPT begins, all its logits are nearly equal
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)), alpha=0.5)
    return model


def some_documents() -> list[list[int]]:
    generator = torch.Generator().manual_seed(2)
    return [torch.randint(23, (length,), generator=generator).tolist() for length in (5, 3, 8, 1, 6)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lengths=LENGTHS)
def test_rows_hold_every_document_once_and_stay_within_the_bounds(packing, lengths):
    context = 20
    fewest, least = packing.fewest_rows(lengths, context), packing.lower_bound(lengths, context)
    for pack in (packing.next_fit, packing.first_fit_decreasing, packing.first_fit_decreasing_slowly):
        rows = pack(lengths, context)
        assert sorted(document for row in rows for document in row) == list(range(len(lengths)))
        assert all(0 < sum(lengths[document] for document in row) <= context for row in rows)
        assert least <= fewest <= len(rows)
    assert packing.first_fit_decreasing(lengths, context) == packing.first_fit_decreasing_slowly(lengths, context)
    assert len(packing.first_fit_decreasing(lengths, context)) <= packing.first_fit_bound(fewest)
    assert fewest == by_partitions(lengths, context)


def by_partitions(lengths: list[int], context: int) -> int:
    """Return the fewest rows by dynamic programming over all sets of documents."""
    best: list[tuple[int, int]] = [(0, context)]  # rows, and tokens in the last one
    for chosen in range(1, 1 << len(lengths)):
        found = (math.inf, 0)
        for document, length in enumerate(lengths):
            if chosen >> document & 1:
                rows, filled = best[chosen ^ 1 << document]
                found = min(found, (rows, filled + length) if filled + length <= context else (rows + 1, length))
        best.append(found)
    return best[-1][0]


def test_errors_say_which_rule(packing, packed_documents):
    with pytest.raises(ValueError, match="the longest has 9"):
        packing.first_fit_decreasing([3, 9], 8)
    with pytest.raises(ValueError, match="at least 1 token"):
        packing.next_fit([3, 0], 8)
    with pytest.raises(ValueError, match="at most 24"):
        packing.fewest_rows([1] * 25, 8)
    with pytest.raises(ValueError, match="need at least 8"):
        packed_documents.pack_rows(some_documents(), [[0, 1]], 7)
    model, row = tiny_gpt(), torch.zeros(1, 20, dtype=torch.long)
    with pytest.raises(ValueError, match="positions 0 to 15; got 19"):
        packed_documents.packed_logits(model, row, torch.arange(20)[None], None)


def test_note_6_six_documents_and_a_case_that_is_not_the_best(load_sprint):
    script = load_sprint(f"{SPRINT}/rows_by_hand.py")
    results = script.main(script.Config())
    assert {name: len(rows) for name, rows in results.rows.items()} == {
        "padding": 6, "next fit": 5, "first fit decreasing": 3,
    }  # fmt: skip
    lengths = results.lengths
    by_length = [[lengths[document] for document in row] for row in results.rows["first fit decreasing"]]
    assert "| 1 | 6, 2 | 0 | | 2 | 5, 3 | 0 | | 3 | 4, 4 | 0 |" in note(6)
    assert by_length == [[6, 2], [5, 3], [4, 4]]
    worse = script.main(script.Config(lengths=(3, 3, 2, 2, 2, 2), context=7))
    assert len(worse.rows["first fit decreasing"]) == 3
    assert worse.fewest == 2
    assert "3, 3, 2, 2, 2, 2" in note(6)
    script.plot(results)
    with pytest.raises(ValueError, match="the longest has 9"):
        script.Config(lengths=(9,)).check()


def test_note_6_the_tree_by_hand(packing):
    space = packing.FreeSpace(4, 8)
    for row, room in ((0, 8), (1, 5)):
        space.take(row, room)
    assert space.most[1:] == [8, 3, 8, 0, 3, 8, 8]
    assert "8 | 3, 8 | 0, 3, 8, 8" in note(6)
    assert space.first_with(3) == 1
    assert space.first_with(4) == 2
    space.take(2, 8)
    space.take(3, 7)
    assert space.most[1:4] == [3, 3, 1]


def test_waste_of_recipes_is_within_the_bound_and_at_257_nobody_helps(load_sprint):
    script = load_sprint(f"{SPRINT}/waste.py")
    results = script.main(script.Config(documents=200, contexts=(257, 512)))
    recipes, at_257 = results.worlds["recipes"], results.at_257
    assert recipes.wasted["first fit decreasing"] < 0.08 < recipes.wasted["next fit"]
    assert recipes.rows["first fit decreasing"] <= recipes.first_fit_bound
    assert at_257.rows["first fit decreasing"] == at_257.lower_bound == 200
    assert 2 * at_257.shortest > 257
    assert script.padded_places([3, 1, 2], 2) == 2 * 3 + 2
    script.plot(results)
    with pytest.raises(ValueError, match="256"):
        script.Config(context=100).check()


def test_against_the_optimum_tiny(load_sprint):
    script = load_sprint(f"{SPRINT}/against_the_optimum.py")
    results = script.main(script.Config(cases=10, documents=8))
    assert results.beyond_the_bound == 0
    assert all(sum(counts.values()) == 10 for counts in results.more_than_optimum.values())
    assert results == script.main(script.Config(cases=10, documents=8))


def test_packed_rows_of_the_docstring(packed_documents):
    packed = packed_documents.pack_rows([[5, 6], [7, 8, 9]], [[0, 1]], 6)
    assert packed.tokens.tolist() == [[5, 6, 7, 8, 9, 0]]
    assert packed.positions.tolist() == [[0, 1, 0, 1, 2, 0]]
    assert packed.documents.tolist() == [[0, 0, 1, 1, 1, -1]]
    assert packed.targets.tolist() == [[False, True, False, True, True, False]]
    for row in ("5 | 6 | 7 | 8 | 9 | –", "0 | 1 | 0 | 1 | 2 | –", "0 | 0 | 1 | 1 | 1 | −1"):
        assert row.replace("−", "−") in note(7)


def test_packed_documents_are_as_if_alone(packed_documents, packing):
    """Logits, loss and gradients, by the block mask and without padding, in rows longer than the model's positions."""
    model, documents = tiny_gpt(), some_documents()
    rows = packing.first_fit_decreasing([len(document) for document in documents], 24)
    packed = packed_documents.pack_rows(documents, rows, 24)
    assert len(rows) == 1
    assert int(packed.targets.sum()) == sum(len(document) - 1 for document in documents)
    tokens = [torch.tensor([document]) for document in documents]
    alone = torch.stack([token_losses(model(row), row).sum() for row in tokens]).sum()
    expected = torch.autograd.grad(alone, list(model.parameters()))
    loss, targets = packed_documents.packed_loss(model, packed)
    torch.testing.assert_close(loss / targets, alone / targets, atol=1e-6, rtol=0)
    for ours, theirs in zip(torch.autograd.grad(loss, list(model.parameters())), expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    free = packed_documents.padding_free_logits(model, packed)
    side_by_side = torch.cat([model(tokens[document])[0] for document in rows[0]])
    torch.testing.assert_close(free, side_by_side, atol=1e-5, rtol=1e-5)
    real = packed.documents[0] >= 0
    mask = packed_documents.block_mask(packed.documents)
    logits = packed_documents.packed_logits(model, packed.tokens, packed.positions, mask)[0, real]
    torch.testing.assert_close(logits, side_by_side, atol=1e-5, rtol=1e-5)


def test_logits_differ_in_rounding_alone(packed_documents):
    model, documents = tiny_gpt().double(), some_documents()
    packed = packed_documents.pack_rows(documents, [[2, 0]], 13)
    mask = packed_documents.block_mask(packed.documents)
    with torch.no_grad():
        alone = torch.cat([model(torch.tensor([documents[number]]))[0] for number in (2, 0)])
        together = packed_documents.packed_logits(model, packed.tokens, packed.positions, mask)[0]
    torch.testing.assert_close(together, alone, atol=1e-12, rtol=0)


def test_padding_free_keeps_rows_apart(packed_documents):
    """The last document of a row and the first of the next have the same number, and stay two documents."""
    model, documents = tiny_gpt(), some_documents()
    packed = packed_documents.pack_rows(documents, [[0], [1], [2, 4]], 14)
    free = packed_documents.padding_free_logits(model, packed)
    alone = torch.cat([model(torch.tensor([documents[number]]))[0] for number in (0, 1, 2, 4)])
    torch.testing.assert_close(free, alone, atol=1e-5, rtol=1e-5)


def test_another_first_document_moves_nothing(packed_documents, load_sprint):
    packed = packed_documents.pack_rows(some_documents(), [[0, 1, 2]], 16)
    moved = load_sprint(f"{SPRINT}/packed_loss.py").moved_logits(tiny_gpt(), packed)
    assert moved["with the block mask"] == 0
    assert moved["without it"] > 0.1


def test_attention_of_each_document_beside_two_references(packed_documents):
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    generator = torch.Generator().manual_seed(0)
    documents = torch.tensor([0, 0, 0, 1, 1, 1, 1, 2])
    query, key, value = (torch.randn(8, 2, 16, generator=generator) for _ in range(3))
    edges = packed_documents.edges_of(documents)
    assert edges.tolist() == [0, 3, 7, 8]
    ours = packed_documents.attend_each(query, key, value, edges)
    with_heads = [part.transpose(0, 1)[None] for part in (query, key, value)]
    mask = packed_documents.block_mask(documents[None]) & causal_mask(8)
    torch.testing.assert_close(ours, attend(*with_heads, mask)[0][0].transpose(0, 1))

    def seen(_batch, _head, one, other):
        return (documents[one] == documents[other]) & (one >= other)

    blocks = create_block_mask(seen, None, None, 8, 8, device="cpu")
    flexible = flex_attention(with_heads[0], with_heads[1], with_heads[2], block_mask=blocks)
    assert isinstance(flexible, torch.Tensor)
    torch.testing.assert_close(ours, flexible[0].transpose(0, 1))


def test_variable_length_attention_of_pytorch_has_no_path_for_cpus():
    """If this fails, note 7 can compare with it here."""
    from torch.nn.attention.varlen import varlen_attn

    parts, edges = torch.randn(3, 2, 16), torch.tensor([0, 3], dtype=torch.int32)
    with pytest.raises(NotImplementedError):
        varlen_attn(parts, parts, parts, edges, edges, 3, 3, window_size=(-1, 0))


def test_rotary_positions_need_not_begin_again(packed_documents):
    """They see distances alone: with the block mask a row is the same with positions that go on."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2}
    config = LlamaConfig(vocab_size=23, hidden_size=16, intermediate_size=32, initializer_range=0.5, **sizes)
    model = LlamaForCausalLM(config).eval()
    packed = packed_documents.pack_rows(some_documents(), [[0, 1, 2]], 16)
    mask = packed_documents.block_mask(packed.documents) & causal_mask(16)
    bias = torch.zeros(mask.shape).masked_fill(~mask, -math.inf)
    through = torch.arange(16)[None]
    with torch.no_grad():
        again, on = (
            model(input_ids=packed.tokens, attention_mask=bias, position_ids=positions, use_cache=False).logits
            for positions in (packed.positions, through)
        )
    torch.testing.assert_close(again, on, atol=1e-4, rtol=1e-4)


def test_note_7_one_attention(load_sprint):
    script = load_sprint(f"{SPRINT}/apart_by_hand.py")
    results = script.main(script.Config())
    shown(note(7), *results.weights["without a block mask"][1:], *results.weights["with it"][2:])
    shown(note(7), *results.mixed.values(), form=".1f")
    assert results.scores == {"without a block mask": 15, "with it": 9}
    assert "15" in note(7)
    script.plot(results)


def test_packed_loss_tiny(load_sprint):
    script = load_sprint(f"{SPRINT}/packed_loss.py")
    results = script.main(script.Config(recipes=4, cut=128))
    assert results.loss["alone"] == pytest.approx(results.loss["packed"], abs=1e-6)
    assert results.gradients_differ < 1e-4
    right, *wrong = results.wrong.values()
    assert all(found.loss > right.loss for found in wrong)
    script.plot(results)
    with pytest.raises(ValueError, match="2 to 128"):
        script.Config(cut=200).check()


def test_transformers_forgets_the_documents_with_a_cache_or_a_mask(packed_documents):
    """The calls of `packed_library.py`; of a tiny GPT-2."""
    model = tiny_gpt()
    theirs, documents = model.to_transformers(), some_documents()
    packed = packed_documents.pack_rows(documents, [[0, 2]], 13)
    call = {"input_ids": packed.tokens, "position_ids": packed.positions}
    ones = torch.ones_like(packed.tokens)
    with torch.no_grad():
        alone = torch.cat([model(torch.tensor([documents[number]]))[0] for number in (0, 2)])
        apart = theirs(**call, use_cache=False).logits[0]
        mixed = [theirs(**call).logits[0], theirs(**call, attention_mask=ones, use_cache=False).logits[0]]
    torch.testing.assert_close(apart, alone, atol=1e-4, rtol=1e-4)
    assert all((logits - alone).abs().max() > 0.1 for logits in mixed)


def test_every_way_of_training_has_the_same_targets_and_two_the_same_loss(load_sprint):
    script = load_sprint(f"{SPRINT}/packed_training.py")
    documents = [[0] * length for length in (200, 180, 150, 170, 190, 140)]
    documents = [[(7 * place + number) % 23 for place, _ in enumerate(row)] for number, row in enumerate(documents)]
    batch = next(script.batches_of(documents, 3, 0))
    model = tiny_gpt(context=512)
    with torch.no_grad():
        losses = {way: script.loss_of(model, batch, way) for way in script.WAYS}
    assert len({targets for _, targets in losses.values()}) == 1
    alone, packed, *wrong = (loss.item() for loss, _ in losses.values())
    assert packed == pytest.approx(alone, rel=1e-5)
    assert len({round(loss, 2) for loss in (alone, *wrong)}) == 4


def test_every_way_of_the_benchmark_has_the_same_loss(load_sprint):
    script = load_sprint(f"{SPRINT}/packed_speed.py")
    model = tiny_gpt(context=512)
    documents = [[*range(3), *range(length)] for length in (20, 9, 15, 4)]
    with torch.no_grad():
        losses = {name: way().item() for name, (way, *_) in script.steps_of(model, documents).items()}
    without = losses.pop("packed, no block mask")
    assert max(losses.values()) - min(losses.values()) < 1e-5
    assert abs(without - losses["packed, block mask"]) > 1e-4
    uneven = script.documents_of(script.Config(kind="uneven", documents=5))
    assert len(uneven) == 5
    assert all(8 <= len(document) <= 512 for document in uneven)


def test_exercise_d_and_the_questions_of_notes_6_and_7(packing, packed_documents):
    lengths = [7, 2, 5, 6, 3, 4, 5, 8]
    by_length = [
        [[lengths[document] for document in row] for row in pack(lengths, 10)]
        for pack in (packing.next_fit, packing.first_fit_decreasing)
    ]
    for rows in by_length:
        shown_rows = ", ".join("(" + ", ".join(map(str, row)) + ")" for row in rows)
        assert shown_rows in PAGE
    assert [len(rows) for rows in by_length] == [5, 4]
    assert packing.lower_bound(lengths, 10) == 4
    assert packing.first_fit_bound(4) == 5
    assert (
        packing.next_fit([5, 5, 4, 3, 3], 10)
        == packing.first_fit_decreasing([5, 5, 4, 3, 3], 10)
        == [[0, 1], [2, 3, 4]]
    )
    shown(note(6), 100 * packing.waste(3 * 170, 1, 512), form=".1f")
    shown(note(6), 100 * packing.waste(2 * 170, 1, 500), form=".0f")
    packed = packed_documents.pack_rows([[1] * 4, [2], [3] * 3], [[0, 1, 2]], 10)
    assert int(packed.targets.sum()) == 5
    assert packed_documents.edges_of(packed.documents[packed.documents >= 0]).tolist() == [0, 4, 5, 8]
