"""Sprint 21's comparisons at a tiny size, and the numbers that notes 4, 8, 9 and 10 work out by hand."""

import json
import math
from dataclasses import replace
from types import ModuleType

import pytest
import torch
from lesson_texts import lesson_texts, shown

SPRINT = "21_adapters_and_prompts"
page, note = lesson_texts(SPRINT)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> str:
    """Return a folder with a GPT-2 of one block that reads the shipped tokenizer's tokens."""
    from transformers import GPT2Config, GPT2LMHeadModel

    from shared.nn.pretrained import load_tokenizer

    torch.manual_seed(0)
    folder, tokenizer = tmp_path_factory.mktemp("tiny"), load_tokenizer()
    size = GPT2Config(vocab_size=2048, n_positions=256, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
    GPT2LMHeadModel(size).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def load(load_sprint, name: str) -> ModuleType:
    return load_sprint(f"{SPRINT}/{name}.py")


def test_side_by_side(load_sprint, tiny):
    script = load(load_sprint, "side_by_side")
    sizes = {
        "steps": 2,
        "search_steps": 1,
        "recipes": 3,
        "held_out": 2,
        "old": 1,
        "seeds": 2,
        "rounds": 1,
        "longest": 24,
    }
    config = script.Config(model=tiny, methods=("full", "bitfit", "prompt"), **sizes)
    results = script.main(config)
    again = script.main(replace(config, methods=("bitfit",))).methods["bitfit"]
    assert script.plot(results)
    full, bitfit, prompt = results.methods.values()
    assert bitfit.losses == again.losses
    assert again.above_full is None
    assert full.parameters == results.numbers
    # BitFit: 9 d outputs of linear layers, 3 norms
    assert (bitfit.parameters, prompt.parameters) == (
        9 * 16 + 3 * 16,
        prompt.size * 16,
    )
    assert full.above_full == (0.0, 0.0)
    assert full.test[0] < results.before
    assert len(prompt.searched) == len(full.searched) == len(bitfit.searched) == 6
    ratios = [one / other - 1 for one, other in zip(bitfit.losses, full.losses, strict=True)]
    assert bitfit.above_full[0] == pytest.approx(sum(ratios) / 2)
    assert full.base_mb == pytest.approx(4 * results.numbers / 1e6)
    with pytest.raises(ValueError, match="methods are houlsby"):
        script.Config(methods=("full", "faith")).check()


def test_every_grid_gives_six_trials(load_sprint):
    trials, methods = load(load_sprint, "adaptation/trials"), load(load_sprint, "adaptation/methods")
    assert set(trials.GRIDS) == {trials.FULL, *methods.METHODS}
    assert all(len(grid.settings()) == 6 for grid in trials.GRIDS.values())
    assert trials.GRIDS["lora"].at_edge((1, 4e-2))
    assert not trials.GRIDS["lora"].at_edge((1, 2e-2))
    assert trials.best_of({(1, 0.1): 2.0, (3, 0.1): 1.0, (3, 0.2): math.inf}) == (3, 0.1)
    with pytest.raises(ValueError, match="every training broke off"):
        trials.best_of({(1, 0.1): math.inf})


def test_note_8_trained_and_kept_numbers(load_sprint):
    """The largest size of every grid in a model of the shipped one's shape: what is kept is below 2 % of it."""
    from transformers import GPT2Config, GPT2LMHeadModel

    trials, methods = load(load_sprint, "adaptation/trials"), load(load_sprint, "adaptation/methods")
    size = {"vocab_size": 2048, "n_positions": 256, "bos_token_id": 0, "eos_token_id": 0}
    base = GPT2LMHeadModel(GPT2Config(n_embd=192, n_layer=4, n_head=6, **size))
    numbers = sum(parameter.numel() for parameter in base.parameters())
    assert f"{numbers:,} numbers, which is {int(0.02 * numbers):,}" in note(8)
    names = {"houlsby": "Houlsby", "pfeiffer": "Pfeiffer", "ia3": "IA³", "bitfit": "BitFit", "vera": "VeRA"}
    names |= {"lora": "LoRA, LoRA+, QLoRA", "lora+": "LoRA, LoRA+, QLoRA", "qlora": "LoRA, LoRA+, QLoRA"}
    names |= {"dora": "DoRA", "p_tuning": "P-tuning"}
    for name in methods.METHODS:
        sizes = trials.GRIDS[name].sizes
        adapted = trials.start(base, name, sizes[-1], torch.Generator())
        trained = sum(weight.numel() for weight in adapted.parameters() if weight.requires_grad)
        shown_size, _, shown_count, *_ = note(8).split(f"| {names.get(name, name)} |")[1].split("|")
        assert shown_size.strip() == (str(sizes[-1]) if len(sizes) > 1 else "")
        assert shown_count.strip() == f"{trained:,}", name
        kept = trials.file_bytes(adapted, methods.find(name).config(base, sizes[-1]), "base") / 4
        assert kept < 0.02 * numbers + 4096  # the file's header is text
        if name == "p_tuning":
            assert kept == pytest.approx(4608, abs=200)
            assert f"P-tuning trains {trained / numbers:.0%}".replace("%", " %") in note(8)


def test_tasks_are_the_same_for_all_and_new_for_each_seed(load_sprint):
    from shared.nn.pretrained import load_tokenizer
    from shared.text.books import SHIPPED_BOOK

    tasks, tokenizer = load(load_sprint, "adaptation/tasks"), load_tokenizer()
    task = tasks.open_task("reordered", tokenizer, 300, 4, 2, 2, SHIPPED_BOOK)
    seen = task.documents(0, 4)
    assert task.documents(0, 4) == seen
    assert sorted(task.documents(4, 4)) == sorted(seen)  # the next epoch, in another order
    text = tokenizer.decode(task.test[0])
    assert text.index("Method") < text.index("Ingredients")
    assert 0.2 < task.optimum < 0.6
    assert tasks.open_task("reordered", tokenizer, 20, 4, 2, 2, SHIPPED_BOOK).optimum is None  # cut
    recipe = "title\n\nlisted\n\nmethod\n\ntip"
    assert tasks.reorder(recipe) == "title\n\nmethod\n\nlisted\n\ntip"
    assert tasks.tip_first(recipe) == "tip\n\ntitle\n\nlisted\n\nmethod"
    book = tasks.open_task("book", tokenizer, 300, 2, 2, 2, SHIPPED_BOOK)
    assert len(book.validation) == 2
    assert book.optimum is not None


def test_four_bit_base(load_sprint, tiny):
    script = load(load_sprint, "four_bit_base")
    sizes = {"steps": 2, "search_steps": 1, "held_out": 1, "seeds": 2, "rates": (1e-2,), "texts": ("known",)}
    results = script.main(script.Config(model=tiny, bases=script.PRESETS["full"]["bases"], **sizes))
    assert script.plot(results)
    rows = results.texts["known"]
    assert len({row.before for row in rows.values()}) == 5  # every way to round is another base
    linear, mb = 16 * (48 + 16 + 64 + 64), results.base_mb
    assert mb["int4"] - mb["int2"] == pytest.approx(2 * linear / 8e6)
    assert mb["int3"] < mb["nf4"] == mb["int4"] < mb["float"]


def test_adding_and_switching(load_sprint, tiny):
    adding = load(load_sprint, "adding")
    results = adding.main(adding.Config(model=tiny, steps=2, held_out=1, seeds=2, rates=(1e-2,)))
    assert adding.plot(results)
    assert {way: row["both"] for way, row in results.losses.items()}["sum"] != results.losses["mean"]["both"]
    switching = load(load_sprint, "switching")
    config = switching.Config(model=tiny, adapters=(1, 2), rows=2, tokens=4, rank=2, rounds=2)
    results = switching.main(config)
    assert switching.plot(results)
    assert all(passed.difference < 1e-5 for passed in results.counts.values())
    assert results.change > 1e-3
    with pytest.raises(ValueError, match="8 rows cannot be shared by 3"):
        switching.Config(adapters=(3,)).check()


def test_nf4_loses_less_than_even_steps(load_sprint, tiny):
    script = load(load_sprint, "nf4_or_even_steps")
    results = script.main(script.Config(model=tiny, blocks=(64,), numbers=2**13, rounds=20, draws=2))
    assert script.plot(results)
    row = results.blocks["64"]
    assert row["lloyd"].gaussian[0] < row["nf4"].gaussian[0] < row["int4"].gaussian[0]
    assert row["int4"].bits < row["nf4"].bits < 4


def test_note_4_a_block_and_the_bytes_of_a_base(load_sprint):
    script = load(load_sprint, "nf4_by_hand")
    results = script.main(script.Config())
    assert script.plot(results)
    shown(note(4), *results.units, *results.back)
    shown(note(4), *(results.levels[code] for code in results.codes))
    shown(note(4), results.squared_error, results.even_squared_error, form=".4f")
    assert f"| {' | '.join(f'{level:.3f}'.replace('-', '−') for level in results.levels)} |" in note(4)
    last = load(load_sprint, "adaptation/four_bits").LAST
    first = 0.5 + (last - 0.5) / 8
    shown(note(4), last, first, form=".4f")
    shown(note(4), *torch.special.ndtri(torch.tensor([first, last])).tolist(), results.levels[8])
    assert "the levels 12, 5, 8, 0, 7, 11, 2 and 14" in note(4)
    assert results.codes == [12, 5, 8, 0, 7, 11, 2, 14]
    assert results.packed == [197, 128, 123, 46]
    four_bits = load(load_sprint, "adaptation/four_bits")
    shown(note(4), four_bits.bits_per_number(), four_bits.bits_per_number(16))
    assert four_bits.bits_per_number(double=False) == 4.5
    sizes = [192 * out for out in (576, 192, 768, 768)]
    kept = [four_bits.to_four_bits(torch.ones(192, size // 192)) for size in sizes]
    assert 4 * sum(size for size in sizes) == 1_769_472
    total = 4 * sum(tensor.bytes for tensor in kept)
    assert f"**{total:,} bytes**" in note(4)
    whole = (total + 4 * (2_222_208 - 1_769_472)) / 1e6
    assert f"from 8.89 MB to {whole:.2f} MB" in note(4)
    assert script.main(script.Config(weights=(0.1,) * 7 + (8.0,))).squared_error == pytest.approx(0.07)
    outlier = script.main(script.Config(weights=(0.1,) * 7 + (8.0,)))
    assert f"{outlier.even_squared_error:.3f}" in page
    assert f"{outlier.even[-1]:.3f}" in page
    assert f"{7e9 * four_bits.bits_per_number() / 8e9:.2f} GB" in page


def test_note_8_intervals_and_rates(load_sprint):
    from shared.checks.intervals import mean_interval

    losses = {"full": (0.80, 0.78), "adapter": (0.82, 0.78)}
    above = [100 * (one / other - 1) for one, other in zip(losses["adapter"], losses["full"], strict=True)]
    mean, half = mean_interval(above)
    assert half is not None
    spread = torch.tensor(above, dtype=torch.double).std().item()
    for text in (f"+{mean:.2f} %", f"$s$ is {spread:.2f} %", f"±{half:.1f} %", f"±{2.776 * spread / 5**0.5:.1f} %"):
        assert text in note(8)
    assert f"{0.90 / 0.79 - 1:.0%}".replace("%", " %") in note(8)
    grids = load(load_sprint, "adaptation/trials").GRIDS
    first, last = grids["full"].rates[0], grids["prompt"].rates[-1]
    assert f"full fine-tuning begins at {first:g} and a prompt ends at {last:g}" in note(8)


def test_note_9_two_adapters(load_sprint):
    script = load(load_sprint, "adding_by_hand")
    results = script.main(script.Config())
    assert script.plot(results)
    for values in (results.first, results.second, results.total, results.mean, results.mean_of_factors, *results.cross):
        assert "({:g}, {:g})".format(*values) in note(9)
    halves = [(sum(parts) / 2) for parts in zip(results.first, results.second, *results.cross, strict=True)]
    assert "besides, ({:g}, {:g}) in the example".format(*halves) in note(9)  # weights of 1/2, of which roots are taken
    assert f"{2 * 8 * 192 / 192**2:.1%}".replace("%", " %") in note(9)


def test_what_is_recorded_agrees_with_the_notes():
    """NF4 loses less at every size of block, and Lloyd's levels less still, as note 4 says."""
    from lesson_texts import SPRINTS

    path = SPRINTS / SPRINT / "results" / "nf4_or_even_steps.json"
    blocks = json.loads(path.read_text(encoding="utf-8"))["results"]["blocks"]
    for row in blocks.values():
        for part in (lambda lost: lost["gaussian"][0], lambda lost: lost["model"]):
            assert part(row["lloyd"]) < part(row["nf4"]) < part(row["int4"])
