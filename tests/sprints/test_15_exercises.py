"""What the notes and the exercises of sprint 15 work out on paper."""

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch
from lesson_texts import lesson_texts, shown

from shared.generation.beam_search import beam_search, decode
from shared.nn.attention import MultiHeadAttention, attend
from shared.nn.masks import causal_mask

FOLDER = "15_encoder_decoder"
PAGE, note = lesson_texts(FOLDER)
ROOT = Path(__file__).parents[2]
SOURCE = torch.zeros(1, 1, dtype=torch.long)


@pytest.fixture
def table_model(load_sprint: Callable[[str], ModuleType]) -> type:
    return load_sprint(f"{FOLDER}/seq2seq_study/table_model.py").TableModel


def script(load_sprint: Callable[[str], ModuleType], name: str) -> tuple[ModuleType, SimpleNamespace]:
    """Return a script, and what it finds with its defaults."""
    module = load_sprint(f"{FOLDER}/{name}.py")
    return module, module.main(module.Config())


# Notes 1 to 4


def test_note_1_a_word_is_reversed_by_hand(load_sprint):
    module, results = script(load_sprint, "reverse_by_hand")
    assert results.answer == "bac."
    shown(note(1), results.weights[0][2], results.weights[0][0], math.exp(4), math.exp(4) + 3)
    for word, strength in (("soup", 8.0), ("soup", 2.0), ("aaaaaaab", 8.0)):
        assert module.main(module.Config(word=word, strength=strength)).answer == word[::-1] + "."
    assert module.main(module.Config(word="aaab", strength=2.0)).answer[0] == "a", "three small weights of a beat b's"
    nothing = module.main(module.Config(word="dada", strength=0.0)).mixed[0]
    assert nothing == pytest.approx([0.4, 0.4, 0.2])
    module.plot(results)


def test_note_1_shapes_are_those_of_a_pass(load_sprint):
    module, results = script(load_sprint, "drawn_with_shapes")
    assert (results.sources, results.inputs) == (["cab.", "de._"], [">bac", ">ed."])
    for name in ("source", "memory", "logits"):
        assert f"({', '.join(map(str, results.shapes[name]))})" in note(1)
    module.plot(results)


def test_note_1_parameters_of_cross_attention():
    d = 64
    assert sum(part.numel() for part in MultiHeadAttention(d, 4).parameters()) == 4 * d * d + 4 * d


def test_note_2_with_a_teacher_and_alone(load_sprint):
    module, results = script(load_sprint, "teacher_and_free")
    assert (results.taught, results.free) == ("bcc.", "bca.")
    assert [sum(a == b for a, b in zip(said, "bac.", strict=True)) for said in (results.taught, results.free)] == [3, 2]
    shown(note(2), results.loss)
    shown(note(2), results.exact_if_sampled, form=".4f")
    better = module.main(module.Config(second=0.6))
    assert better.taught == better.free == "bac."
    module.plot(results)


def test_note_2_no_causal_table_breaks_the_claim_and_tables_that_see_the_future_do():
    generator = torch.Generator().manual_seed(0)

    def scores(see_future: bool) -> tuple[bool, bool]:
        # A table from what is visible to the next token: of a causal model the beginning, else the whole input.
        said: dict[tuple, int] = {}

        def g(visible: tuple[int, ...], place: int) -> int:
            return said.setdefault((visible, place), int(torch.randint(2, (), generator=generator)))

        target = tuple(torch.randint(2, (3,), generator=generator).tolist())
        taught = all(g(target[:-1] if see_future else target[:t], t) == target[t] for t in range(3))
        own: tuple[int, ...] = ()
        for t in range(3):
            own += (g(own, t),)
        return taught, own == target

    causal = [scores(see_future=False) for _ in range(400)]
    assert all(taught == free for taught, free in causal)
    assert any(taught for taught, _ in causal), "otherwise the test says nothing"
    assert sum(taught != free for taught, free in (scores(see_future=True) for _ in range(400))) > 20


def test_note_3_what_an_inverted_mask_shows(load_sprint):
    module, results = script(load_sprint, "upside_down")
    assert results.self_attention == causal_mask(4).tolist()
    for place, answer in enumerate(results.answers[:-1]):
        assert results.inputs[place + 1] == answer
        assert not results.self_attention[place][place + 1], "hidden, and so visible if it is inverted"
    assert all(row == [True] * 4 + [False] for row in results.cross_attention)
    module.plot(results)


def test_note_4_the_tree_and_the_library_agree(load_sprint, table_model):
    module, results = script(load_sprint, "beam_by_hand")
    assert sum(results.answers.values()) == pytest.approx(1)
    assert list(results.found.values()) == ["aa.", "b.", "aa.", "b."]
    assert [list(beam) for beam in results.kept] == [["a", "b"], ["b.", "aa"], ["b.", "aa."]]
    for answer, probability in results.answers.items():
        shown(note(4), math.log(probability), math.log(probability) / len(answer))
    three = module.steps_by_hand(3)
    assert list(three[1])[:2] == ["b.", "aa"]
    assert {"ab", "a."} > set(list(three[1])[2:])
    for width in (1, 2, 3, 6):
        model = table_model("ab.", module.TABLE)
        found = model.write(beam_search(model, SOURCE, width=width, max_new_tokens=3)[0].tokens[0])
        assert found == max(module.steps_by_hand(width)[-1].items(), key=lambda pair: pair[1])[0]
    module.plot(results)


def test_note_4_quotes_the_library():
    source = (ROOT / "shared/generation/beam_search.py").read_text(encoding="utf-8")
    page = (ROOT / f"sprints/{FOLDER}/notes/04_beam_search.md").read_text(encoding="utf-8")
    lines = page.split("```python\n")[1].split("```")[0].splitlines()
    assert len(lines) == 4
    assert all(line.split("  #")[0] in source for line in lines)


def test_note_4_a_wider_beam_can_find_a_less_probable_answer(table_model):
    """Greedy decoding follows a. A beam of two drops it in the second step, for two that both end badly."""
    table = {
        "": {"a": 0.4, "b": 0.35, "c": 0.25},
        "a": {"a": 0.4, "b": 0.35, "c": 0.25},
        "b": {"a": 0.5, "b": 0.5},
        "c": {"b": 1.0},
    }
    table |= {"aa": {".": 1.0}, "ab": {"a": 1.0}, "ac": {"a": 1.0}}
    table |= {text: dict.fromkeys("abc.", 0.25) for text in ("ba", "bb", "cb")}
    table |= {text + letter: {".": 1.0} for text in ("ba", "bb", "cb", "ab", "ac") for letter in "abc"}
    model = table_model("abc.", table)
    found = {width: beam_search(model, SOURCE, width=width, max_new_tokens=4)[1].item() for width in (1, 2, 30)}
    assert found[1] > found[2], "the beam of two lost the beginning that greedy decoding follows"
    assert found[30] >= found[1]


def test_a_table_refuses_what_does_not_add_up(table_model):
    with pytest.raises(ValueError, match="after 'a' must add up to 1"):
        table_model("ab.", {"": {"a": 1.0}, "a": {"b": 0.5}})


def test_beam_width_says_whose_fault_it_is(load_sprint):
    module = load_sprint(f"{FOLDER}/beam_width.py")
    config = module.Config(
        symbols=5, longest=4, steps=60, batch_size=16, held_out=40, widths=(1, 3), seeds=(0, 1), device="cpu",
        learning_rate=5e-3,
    )  # fmt: skip
    results = module.main(config)
    for narrow, wide in zip(results.runs["1"], results.runs["3"], strict=True):
        for scores in (narrow, wide):
            assert scores.right + scores.search_errors + scores.model_errors == pytest.approx(1)
        assert wide.log_probability >= narrow.log_probability - 0.2
    assert results.gain["1"] == (0, 0)
    assert module.main(replace(config, steps=3)) == module.main(replace(config, steps=3)), "same seed, same results"
    module.plot(results)


# Notes 5 to 10


def test_note_5_two_averages(load_sprint):
    module, results = script(load_sprint, "prefixes_by_hand")
    unsure, sure = results.models["unsure"], results.models["sure"]
    shown(note(5), results.after_right, results.after_slip, unsure.first)
    shown(note(5), unsure.data_prefixes, unsure.own_prefixes, sure.own_prefixes)
    shown(note(5), unsure.ratio, form=".2f")
    assert unsure.ratio > 1 > sure.ratio
    module.plot(results)


def test_note_5_a_slip_shifts_what_follows(load_sprint):
    task = load_sprint(f"{FOLDER}/seq2seq_study/noisy_reversal.py").NoisyReversal(4, 3, 0.1)
    p = task.conditionals(torch.tensor([2, 0, 1]), torch.tensor([1, 3]))
    assert p.argmax(dim=-1).tolist() == [1, 0, 1], "0 was wanted at the second place, and 3 was drawn"
    assert f"{4**5:,}".replace(",", "{,}") in note(5)


def test_note_6_numbers():
    assert f"0.95⁹ = {0.95**9:.0%}".replace("%", " %") in " ".join(note(6).split())
    assert f"$e^{{-0.2}}$ = {math.exp(-0.2):.2f}" in note(6)


def test_note_7_three_answers(load_sprint):
    module, results = script(load_sprint, "gradient_by_hand")
    shown(note(7), *results.exact[:2])
    shown(note(7), results.expected, results.exact[2], results.spread, results.spread_with_baseline, form=".2f")
    for each in (results.plain, results.with_baseline):
        mean = torch.tensor(module.PROBABILITIES) @ torch.tensor(each)
        torch.testing.assert_close(mean, torch.tensor(results.exact))
    larger = module.main(module.Config(rewards=(10.0, 10.5, 11.0)))
    assert larger.exact == pytest.approx(results.exact)
    assert larger.spread_with_baseline == pytest.approx(results.spread_with_baseline)
    assert larger.spread > 10 * results.spread
    module.plot(results)


def test_note_7_the_own_reward_in_the_baseline_shrinks_the_advantage():
    rewards = torch.tensor([1.0, 0.0, 0.5, 0.25])
    others = (rewards.sum() - rewards) / 3
    torch.testing.assert_close(rewards - rewards.mean(), (1 - 1 / 4) * (rewards - others))


def test_note_8_where_scheduled_sampling_ends(load_sprint):
    assert f"{math.log(2):.3f}" in note(8)
    # Half of the a that it reads are true, and a follows; after its own one both follow equally often.
    assert f"Together *a* with {0.5 * 1 + 0.5 * 0.5:g}." in note(8)
    module, results = script(load_sprint, "what_each_reads")
    assert [way.reads for way in results.ways.values()] == [">bac", ">bcc", ">cbb", ">cbb"]
    assert [way.wanted for way in results.ways.values()] == ["bac.", "bac.", "bac.", "cbb."]
    module.plot(results)


def test_note_9_what_a_step_costs(load_sprint):
    module = load_sprint(f"{FOLDER}/remedies_at_equal_cost.py")
    config = module.Config(start_steps=1, held_out=2, device="cpu")
    _, start, budget = module.prepare(config, "noise 0.05", 0)
    assert budget == 60 * 384
    steps = {}
    for name, make_loss in module.methods(config).items():
        tokens = module.tokens_of_a_step(start, make_loss)
        steps[name] = int(240 * 384 / tokens)
        if name != "professor forcing":
            assert f"{tokens:,.0f} |" in note(9), name
    assert f"{240 * 384:,}" in note(9)
    assert list(steps.values()) == [240, 130, 80, 80, 120, 80, 34]
    assert int(0.75 * steps["professor forcing"]) == 60
    assert "130, 80, 120, 80 and 34 steps" in " ".join(note(9).split())
    assert f"{704 / 384:.2f}" in note(9)


def test_note_9_an_interval_by_hand():
    from shared.checks.intervals import mean_interval

    mean, half = mean_interval([0.02, 0.01, 0.03, 0.0, 0.02])
    assert half is not None
    shown(note(9), mean)
    shown(note(9), half, mean - half, mean + half, form=".4f")
    mean, half = mean_interval([0.03, 0.05, 0.04, 0.04, 0.04])
    shown(note(9), half or 0, form=".4f")
    assert f"{240 / 2.5:.0f}. At equal steps" in note(9)


def test_remedies_at_equal_cost_spend_the_same_and_are_searched_on_other_seeds(load_sprint, monkeypatch):
    module = load_sprint(f"{FOLDER}/remedies_at_equal_cost.py")
    config = module.Config(
        longest=4, symbols=4, pairs=50, start_steps=3, budget=16, rates=(1e-3, 1e-2), batch_size=4, held_out=1,
        seeds=(0, 1), device="cpu",
    )  # fmt: skip
    prepared, prepare = [], module.prepare
    with monkeypatch.context() as patch:
        patch.setattr(module, "prepare", lambda *which: prepared.append(which[1:]) or prepare(*which))
        results = module.main(config)
    assert prepared == [(task, seed) for task in ("reversal", "noise 0.05") for seed in (1000, 0, 1)]
    assert set(results.tasks) == {"reversal", "noise 0.05"}
    for rows in results.tasks.values():
        control = rows[module.CONTROL]
        assert control.tokens == control.passes == 1
        assert all(value == (0, 0) for value in control.differences.values())
        for name, row in rows.items():
            assert 0.5 < row.tokens < 1.2, name
            assert row.rate == float(max(row.by_rate, key=lambda rate: row.by_rate[rate]))
            assert row.at_edge, "there are two rates"
            for key, (mean, _) in row.metrics.items():
                assert mean == pytest.approx(control.metrics[key][0] + row.differences[key][0])
        assert rows["professor forcing"].judge is not None
    small = replace(config, noises=(), budget=4, seeds=(0,), rates=(1e-3,))
    assert module.main(small) == module.main(small), "same seed, same results"
    module.plot(results)


def test_differences_at_equal_cost_are_paired_and_a_rate_at_the_edge_is_marked(load_sprint):
    equal_cost = load_sprint(f"{FOLDER}/seq2seq_study/equal_cost.py")
    spent = [equal_cost.Spent(2, 100, 4, None)] * 3
    control, method = ([{"share": value} for value in values] for values in ((0.1, 0.5, 0.2), (0.3, 0.7, 0.4)))
    row = equal_cost.summarise_best({1e-3: [0.5], 1e-2: [0.6], 1e-1: [0.1]}, method, spent, (control, spent))
    assert row.differences["share"] == pytest.approx([0.2, 0.0]), "the seeds differ, the differences do not"
    assert row.metrics["share"][1] > 0.2
    assert (row.rate, row.at_edge) == (1e-2, False)
    lucky = {1e-3: [0.5, 0.5], 1e-2: [0.6, 0.1]}
    row = equal_cost.summarise_best(lucky, method, spent, (control, spent))
    assert (row.rate, row.at_edge) == (1e-3, True), "the mean over the search's seeds decides, not its best one"


def test_going_on_leaves_the_start_as_it_is_even_at_a_rate_that_diverges(load_sprint):
    module = load_sprint(f"{FOLDER}/remedies_at_equal_cost.py")
    equal_cost = load_sprint(f"{FOLDER}/seq2seq_study/equal_cost.py")
    config = module.Config(start_steps=1, pairs=20, batch_size=4, held_out=1, device="cpu")
    _, start, budget = module.prepare(config, "noise 0.05", 0)
    before = {name: part.clone() for name, part in start.model.state_dict().items()}
    make_loss = module.methods(config)[module.CONTROL]
    for rate in (1e-2, 1e30):
        model, spent = equal_cost.go_on(start, make_loss, rate, budget / 10, 0.25)
        assert any(not torch.equal(part, before[name]) for name, part in model.state_dict().items())
        assert all(torch.equal(part, before[name]) for name, part in start.model.state_dict().items())
        assert spent.steps == 6


def test_note_10_a_pointer_by_hand(load_sprint):
    module, results = script(load_sprint, "pointer_by_hand")
    assert results.said == "z"
    assert sum(results.mixed) == pytest.approx(1)
    shown(note(10), *results.mixed, form=".2f")
    other = module.main(module.Config(gate=0.9))
    assert other.said == "a"
    shown(note(10), other.mixed[0], other.mixed[3], form=".2f")
    module.plot(results)


# The exercises on paper


def test_a_shapes_and_masks():
    x, memory = torch.randn(5, 11, 48), torch.randn(5, 9, 48)
    layer = MultiHeadAttention(48, 6)
    for queries, keys in ((memory, None), (x, None), (x, memory)):
        weights = attend(*layer.project(queries, keys))[1]
        assert str(tuple(weights.shape)) in PAGE
    assert int((~causal_mask(11)).sum()) == 55
    assert "55 of 121" in PAGE


def test_b_with_a_teacher_and_without(table_model):
    table = {
        "": {"x": 0.6, "y": 0.4},
        "x": {"y": 0.7, ".": 0.3},
        "y": {"x": 0.8, ".": 0.2},
        "xy": {".": 1.0},
        "yx": {".": 1.0},
    }
    model = table_model("xy.", table)
    target = model.read(">yx.")[None]
    log_probs = model(SOURCE, target[:, :-1])[0]
    assert model.write(log_probs.argmax(dim=-1)) == "xx."
    assert model.write(decode(model, SOURCE, max_new_tokens=3).tokens[0]) == "xy."
    shown(PAGE, -log_probs.gather(1, target[0, 1:, None]).mean().item())


def test_c_a_beam(table_model):
    table = {"": {"a": 0.45, "b": 0.35, ".": 0.2}, "a": {"a": 0.5, ".": 0.5}, "b": {"a": 0.1, ".": 0.9}}
    table |= {"aa": {".": 1.0}, "ba": {".": 1.0}}
    model = table_model("ab.", table)
    found = {
        (width, power): model.write(
            beam_search(model, SOURCE, width=width, max_new_tokens=3, length_power=power)[0].tokens[0]
        )
        for width, power in itertools.product((1, 2, 6), (0, 1))
    }
    assert (found[1, 0], found[2, 0], found[6, 1]) == ("aa.", "b.", "aa.")
    shown(PAGE, math.log(0.315) / 2, math.log(0.225) / 3, math.log(0.225) / 2)


def test_d_a_baseline():
    q, rewards = torch.tensor([0.8, 0.2]), torch.tensor([1.0, 3.0])
    expected = q @ rewards
    assert expected.item() == pytest.approx(1.4)
    exact = q * (rewards - expected)
    for weights in (rewards, rewards - expected):
        torch.testing.assert_close(q @ (weights[:, None] * (torch.eye(2) - q)), exact)
    shown(PAGE, exact[1].item(), form=".2f")


def test_e_where_scheduled_sampling_ends():
    shown(PAGE, 0.7 * math.log(0.7 / 0.25), 0.7 * math.log(0.7 / 0.25) + 0.3 * math.log(0.1 / 0.25))
