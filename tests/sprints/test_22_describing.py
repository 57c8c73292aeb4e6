"""Describing in sprint 22: what notes 8 and 9 work out by hand, the measures, what learns, and the scripts, tiny."""

import math
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from lesson_texts import lesson_texts, shown
from torch import nn

from shared.nn.gpt import GPT, GPTConfig
from shared.nn.vision_config import VisionConfig
from shared.nn.vision_transformer import VisionTransformer

SPRINT = "22_pictures_and_words"
PAGE, note = lesson_texts(SPRINT)
TINY = VisionConfig(patch=16, layers=1, heads=2, d_model=8)


WORDS = [
    *("<end>", ".", ",", "?", "a", "and", "the", "is", "are", "there", "what", "how", "many", "things", "colour", "of"),
    *(
        "above",
        "below",
        "left",
        "right",
        "yes",
        "no",
        "0",
        "1",
        "2",
        "3",
        "4",
        "red",
        "green",
        "blue",
        "yellow",
        "white",
    ),
    *("black", "plate", "bowl", "napkin", "slice", "knife", "glass", "small", "large", "nothing"),
]


class Words:
    """A tokenizer of the world's words: nothing has to be loaded."""

    eos_token_id = 0

    def __call__(self, texts: list[str], **_: bool) -> dict[str, list[list[int]]]:
        return {"input_ids": [[WORDS.index(word) for word in re.findall(r"\w+|[.,?]", text)] for text in texts]}

    def decode(self, tokens: list[int]) -> str:
        return re.sub(r" ([.,?])", r"\1", " ".join(WORDS[token] for token in tokens))

    def __len__(self) -> int:
        return len(WORDS)


@pytest.fixture
def seeing(load_sprint) -> SimpleNamespace:
    names = ("captions", "describing", "saying", "drawing", "facts", "parts", "questions", "scenes", "table_gpt")
    modules = {name: load_sprint(f"{SPRINT}/seeing/{name}.py") for name in (*names, "vision_language")}
    return SimpleNamespace(**modules)


@pytest.fixture
def tiny_gpt(seeing, monkeypatch) -> None:
    """Let every script read words with a tiny GPT."""
    gpt = GPT(GPTConfig(len(WORDS), 80, 1, 2, 8, dropout=0.0), torch.Generator().manual_seed(0)).eval()
    monkeypatch.setattr(seeing.table_gpt, "load_causal_model", lambda _: (gpt.to_transformers(), Words()))


def tiny_model(seeing: SimpleNamespace, way: str = "before") -> nn.Module:
    return seeing.table_gpt.new_model(TINY, torch.Generator().manual_seed(0), way=way)[0]


def test_note_8_by_hand(load_sprint, seeing):
    script = load_sprint(f"{SPRINT}/look_by_hand.py")
    results = script.main(script.Config())
    assert results.scores == [4, 0, 0, 0]
    shown(note(8), math.exp(4), *results.weights[:2], *results.mixed, results.probabilities["plate"])
    shown(note(8), results.nats, form=".4f")
    assert results.at_once == pytest.approx(results.mixed)
    for word, with_picture, without in results.words:
        shown(note(8), with_picture, without)
        assert f"| {word} |" in note(8)
    shown(note(8), results.seeing, results.blind, results.blind - results.seeing)
    assert results.blind == pytest.approx(-seeing.captions.log_probability_without_picture("a small red plate."))
    anywhere = script.main(script.Config(query=(0.0, 0.0, 0.0, 0.0)))
    shown(note(8), anywhere.nats)
    unsaid = script.main(script.Config(caption="a yellow knife."))
    assert unsaid.blind == pytest.approx(-seeing.captions.log_probability_without_picture("a yellow knife."))
    shown(note(8), unsaid.blind, unsaid.blind - unsaid.seeing)
    with pytest.raises(ValueError, match="of one item"):
        script.Config(caption="a red plate and a blue bowl.").check()
    script.plot(results)


def test_note_8_between_two_entropies(seeing):
    most, least = seeing.captions.entropy(), seeing.captions.entropy_given_scene()
    shown(note(8), most, least, seeing.saying.worth_used(6.0, most, least))
    assert f"{6 / least - 1:.0%}".replace("%", " %") in note(8)
    assert (seeing.saying.worth_used(most, most, least), seeing.saying.worth_used(least, most, least)) == (0, 1)


def test_nats_are_a_sum_over_what_is_scored_by_the_number_of_texts(seeing):
    told = seeing.captions.pairs("test", 0, 7)
    batches = [seeing.describing.told_batch(part, Words()) for part in (told[:2], told[2:])]

    class Uniform(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))  # says on which device the model is

        def forward(self, _, tokens):
            return torch.zeros(*tokens.shape, len(WORDS))

    tokens = sum(len(row) + 1 for row in Words()([caption for _, caption in told])["input_ids"])  # and the end
    found = seeing.saying.nats_a_text(Uniform(), batches)
    assert found == pytest.approx(tokens * math.log(len(WORDS)) / 7)


def test_batches_are_new_and_differ_by_seed_and_the_blind_see_nothing(seeing):
    batches = seeing.describing.caption_batches(Words(), 1, 4)
    first, second = next(batches), next(batches)
    again = next(seeing.describing.caption_batches(Words(), 1, 4))
    other = next(seeing.describing.caption_batches(Words(), 2, 4, seeing.describing.grey))
    assert torch.equal(first.tokens, again.tokens)
    assert not torch.equal(first.pictures, second.pictures)
    assert first.tokens.shape != other.tokens.shape or not torch.equal(first.tokens, other.tokens)
    assert other.pictures.eq(0).all()
    assert other.pictures.shape == first.pictures.shape
    asked = next(seeing.describing.question_batches(Words(), 0, 6))
    assert len(asked.tokens) == 6
    scored = asked.tokens.where(asked.scored, -1)
    for row, tokens in zip(scored, asked.tokens, strict=True):
        answer = Words().decode([token for token in row.tolist() if token >= 0])
        asked_and_answered = Words().decode([token for token in tokens.tolist() if token])
        assert asked_and_answered.endswith(f"? {answer}".removesuffix(" <end>"))
        assert any(answer == f"{one} <end>" for answers in seeing.questions.ANSWERS.values() for one in answers)


def test_facts_of_other_scenes_are_at_chance_and_true_captions_right(seeing):
    told = seeing.captions.pairs("test", 0, 1500)
    scenes, captions = [scene for scene, _ in told], [caption for _, caption in told]
    assert set(seeing.saying.shares_right(captions, scenes).values()) == {1.0}
    others = seeing.saying.shares_right(captions[1:] + captions[:1], scenes)
    for fact, share in others.items():
        assert share == pytest.approx(seeing.facts.CHANCE[fact], abs=0.04), fact
    assert seeing.saying.shares_right(["nothing"], scenes[:1]) == dict.fromkeys(seeing.facts.FACTS, 0.0)


def test_answers_are_compared_as_they_are_read(seeing):
    asked = seeing.questions.questions("test", "count", 0, 3)
    right = [question.answer for _, question in asked]
    assert seeing.saying.accuracy([f" {right[0]}.", "many", right[2]], asked) == pytest.approx(2 / 3)


@pytest.mark.usefixtures("tiny_gpt")
def test_a_model_is_written_and_read_back(seeing, tmp_path):
    table = seeing.table_gpt
    model = tiny_model(seeing).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.1 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
    table.save_table_gpt(model, tmp_path / "model")
    again = table.load_table_gpt(tmp_path / "model")
    batch = seeing.describing.told_batch(seeing.captions.pairs("test", 0, 3), Words())
    inputs = (batch.pictures, batch.tokens[:, :-1])
    torch.testing.assert_close(again(*inputs), model(*inputs), atol=0.02, rtol=0.01)  # 11 bits of each weight
    assert again.gpt.head.weight is again.gpt.token_embedding.weight
    weights = tmp_path / "model" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ValueError, match="not as it was written"):
        table.load_table_gpt(tmp_path / "model")
    with pytest.raises(ValueError, match="there is no model in"):
        table.load_table_gpt(tmp_path)
    with torch.no_grad():
        model.projector[0].bias[0] = math.nan
    with pytest.raises(ValueError, match="no numbers"):
        table.save_table_gpt(model, tmp_path / "broken")


@pytest.mark.usefixtures("tiny_gpt")
def test_weights_of_another_size_are_refused(seeing, tmp_path):
    table = seeing.table_gpt
    table.save_table_gpt(tiny_model(seeing), tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    config.write_text(config.read_text().replace('"patch": 16', '"patch": 8'))
    (tmp_path / "model" / "checksums.json").unlink()
    with pytest.raises(ValueError, match="in another shape"):
        table.load_table_gpt(tmp_path / "model")
    config.write_text('{"vision": {}}')
    with pytest.raises(ValueError, match="describes no such model"):
        table.load_table_gpt(tmp_path / "model")


@pytest.mark.usefixtures("tiny_gpt")
@pytest.mark.parametrize("parts", ["projector", "encoder", "lora", "gpt", "all"])
def test_only_the_parts_that_are_named_learn(parts, seeing):
    model = tiny_model(seeing).eval()
    batch = seeing.describing.told_batch(seeing.captions.pairs("test", 0, 3), Words())
    inputs = (batch.pictures, batch.tokens[:, :-1])
    before = model(*inputs)
    numbers = seeing.parts.let_learn(model, parts, 2, torch.Generator().manual_seed(0))
    assert torch.equal(model(*inputs), before)
    kept = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    budget = seeing.describing.Budget(2, 0.01, 0.01, "float32")
    for _ in seeing.describing.learn(model, seeing.describing.caption_batches(Words(), 0, 8), budget):
        pass
    moved = {name for name, weight in model.named_parameters() if not torch.equal(weight, kept[name])}
    begins = {"projector": (), "encoder": ("encoder.",), "gpt": ("gpt.",), "all": ("encoder.", "gpt."), "lora": ()}
    expected = {name for name in kept if name.startswith(("projector.", *begins[parts]))}
    if parts == "lora":
        expected |= {name for name in kept if ".down." in name or ".up." in name}
    # Where there is no text, and where the class token alone is read, nothing can be learnt.
    never = {name for name in expected if name.startswith("gpt.positions")}
    assert moved | never == expected | (moved & never)
    assert numbers == sum(kept[name].numel() for name in expected)


def test_what_lies_in_each_place_and_who_learns_it(seeing):
    scenes = seeing.scenes
    for scene in scenes.scenes("test", 0, 9):
        looks = seeing.parts.looks_of(scene)
        assert int(looks.ne(0).sum()) == len(scene.items)
        for item in scene.items:
            kind, rest = divmod(int(looks[item.row * 3 + item.column]) - 1, len(scenes.COLOURS) * len(scenes.SIZES))
            colour, size = divmod(rest, len(scenes.SIZES))
            told = (scenes.KINDS[kind], scenes.COLOURS[colour], scenes.SIZES[size])
            assert told == (item.kind, item.colour, item.size)
    item = scene.items[0]
    place = item.row * 3 + item.column
    for patch in (8, 16):
        model = seeing.parts.PlaceClassifier(VisionTransformer(replace(TINY, patch=patch)))
        shown = seeing.drawing.pictures([scene])
        changed = shown.clone()
        changed[..., 16 * item.row : 16 * item.row + 16, 16 * item.column : 16 * item.column + 16] = 0
        model.encoder.blocks = nn.ModuleList()  # without attention a place is told by its own patches alone
        nn.init.normal_(model.head.weight)
        differs = (model(shown) - model(changed)).abs().amax(dim=-1)[0] > 1e-6
        assert differs.nonzero().flatten().tolist() == [place]
    learner = seeing.parts.PlaceClassifier(VisionTransformer(TINY, torch.Generator().manual_seed(0)))
    losses = [loss for _, loss in seeing.parts.learn_places(learner, 0, 12, 16, 0.02)]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("start", ["random", "classified", "contrastive"])
def test_encoders_with_a_past(start, seeing):
    made = [seeing.parts.make_encoder(start, TINY, steps, 4, 0.02, Words()) for steps in (1, 2, 2)]
    assert torch.equal(made[1].position_embedding, made[2].position_embedding)
    assert torch.equal(made[0].position_embedding, made[1].position_embedding) == (start == "random")


@pytest.mark.usefixtures("tiny_gpt")
@pytest.mark.parametrize("way", ["before", "beside"])
def test_describe(way, load_sprint, tmp_path):
    script = load_sprint(f"{SPRINT}/describe.py")
    sizes = {"layers": 1, "heads": 2, "d_model": 8, "steps": 2, "batch_size": 3, "every": 1, "validation": 2}
    config = script.Config(way=way, sights=("seeing", "blind"), test=3, written=2, seeds=(0, 1), out=tmp_path, **sizes)
    results = script.main(config)
    assert results == script.main(config)
    assert [step for step, _ in results.curves[1]] == [1, 2]
    assert results.said["seeing"].losses[0] != results.said["seeing"].losses[1]
    assert results.said["seeing"].used[0] == pytest.approx(
        (results.entropy - results.said["seeing"].loss[0]) / (results.entropy - results.entropy_given_scene)
    )
    assert (tmp_path / "table-gpt" / "checksums.json").is_file() == (way == "before")
    if way == "before":
        assert results.shipped_loss == pytest.approx(results.said["seeing"].losses[0], rel=1e-2)
    script.plot(results)


@pytest.mark.usefixtures("tiny_gpt")
def test_ask(load_sprint, seeing, tmp_path, monkeypatch):
    seeing.table_gpt.save_table_gpt(tiny_model(seeing), tmp_path / "model")
    script = load_sprint(f"{SPRINT}/ask.py")
    monkeypatch.setattr(script, "load_tokenizer", Words)
    sizes = {"steps": 1, "batch_size": 3, "test": 2, "captions": 2, "seeds": (0, 1)}
    results = script.main(script.Config(start=tmp_path / "model", sights=("seeing", "blind"), **sizes))
    assert list(results.kinds) == ["colour", "count", "relation"]
    assert list(results.kinds["count"].shares) == ["seeing", "shuffled", "blind"]
    assert len(results.samples) == 6
    script.plot(results)


@pytest.mark.usefixtures("tiny_gpt")
def test_what_to_train(load_sprint, monkeypatch):
    script = load_sprint(f"{SPRINT}/what_to_train.py")
    monkeypatch.setattr(script, "recipe_rows", lambda *_: [(torch.arange(1, 9)[None], None)])
    sizes = {
        "steps": 2,
        "search_steps": 1,
        "batch_size": 2,
        "validation": 2,
        "test": 2,
        "written": 2,
        "encoder_batch": 2,
    }
    config = script.Config(
        parts=("projector", "lora", "gpt"), seeds=(0, 1), encoder_steps=1, factors=(0.5, 1.0), **sizes
    )
    results = script.main(config)
    assert results.arms["classified, projector"].recipes == (
        results.recipes_before,
        0.0,
    )  # a frozen GPT forgets nothing
    assert results.arms["classified, gpt"].recipes[0] != results.recipes_before
    assert results.arms["classified, lora"].recipes[0] != results.recipes_before
    assert results.arms["classified, gpt"].numbers > results.arms["classified, lora"].numbers
    script.plot(results)


def test_note_9_counted_and_what_a_frozen_encoder_loses(seeing):
    encoder = VisionTransformer(VisionConfig(patch=16, layers=2))
    parts = {name: sum(weight.numel() for weight in part.parameters()) for name, part in encoder.named_children()}
    projector = sum(weight.numel() for weight in seeing.vision_language.Projector(128, 192).parameters())
    whole = sum(weight.numel() for weight in encoder.parameters())
    lora = 8 * (768 + 384 + 960 + 960)
    for number in (
        parts["patch_embedding"],
        11 * 128,
        parts["blocks"] // 2,
        whole,
        projector,
        lora,
        4 * lora,
        2_222_208,
    ):
        assert f"{number:,}" in note(9)
    assert f"{projector / (whole + projector + 2_222_208):.1%}".replace("%", " %") in note(9)
    least = seeing.captions.entropy_given_scene()
    seen = seeing.captions.TWO_RELATIONS * math.log(2)
    lost = math.log(4) - seen
    shown(note(9), math.log(4), seen, lost, 0.75 * lost, least, least + 0.75 * lost)
    assert f"{0.75 * lost / least:.1%}".replace("%", " %") in note(9)
    shown(note(9), 2.5 / 3 * math.log(2))
    assert f"one of {seeing.parts.LOOKS - 1} things or nothing" in note(9)


def test_exercises_r_and_s(seeing):
    scenes, captions = seeing.scenes, seeing.captions
    items = (scenes.Item("plate", "red", "large", 1, 1), scenes.Item("bowl", "blue", "small", 1, 2))
    text = "a red plate and a small blue bowl. the plate is left of the bowl."
    assert text in PAGE
    shown(PAGE, -captions.log_probability(text, scenes.Scene(items)), -captions.log_probability_without_picture(text))
    least = captions.entropy_given_scene()
    lost = 2.5 * captions.SIZE_SAID * math.log(2)
    shown(PAGE, least, lost, least + lost)
    assert f"{lost / least:.1%}".replace("%", " %") in PAGE


def test_the_shipped_model_says_what_is_there(seeing):
    if not (seeing.table_gpt.TABLE_GPT / "config.json").is_file():
        pytest.skip("data/models/table-gpt is not recorded yet")
    from shared.nn.pretrained import load_tokenizer

    folder = seeing.table_gpt.TABLE_GPT
    assert sum(file.stat().st_size for file in folder.iterdir()) < 10_000_000
    model, scenes = seeing.table_gpt.load_table_gpt(), seeing.scenes.scenes("test", 0, 10)
    written = seeing.saying.captions_by(model, seeing.drawing.pictures(scenes), load_tokenizer())
    shares = seeing.saying.shares_right(written, scenes)
    assert shares["caption"] == 1
    assert min(shares["number"], shares["kind"], shares["colour"]) > 0.8


def test_with_another_picture_a_perfect_model_tells_of_the_other_scene(seeing, load_sprint):
    runs = load_sprint(f"{SPRINT}/seeing/caption_runs.py")

    class Perfect(seeing.vision_language.PictureReader):
        def __init__(self):
            nn.Module.__init__(self)
            self.weight = nn.Parameter(torch.zeros(()))

        def forward(self, _, tokens):
            return torch.zeros(*tokens.shape, len(WORDS))

        def write(self, shown, prompts, **_):
            assert all(prompt == [0] for prompt in prompts)
            scenes = [seeing.drawing.decode(((picture + 1) * 127.5).round().to(torch.uint8)) for picture in shown]
            generator = torch.Generator().manual_seed(0)
            return Words()([seeing.captions.caption(scene, generator) for scene in scenes])["input_ids"]

    told = seeing.captions.pairs("test", 0, 210)
    found = runs.measure_captions(Perfect(), Words(), told, seeing.drawing.pictures, 205)
    assert set(found.facts.values()) == {1.0}
    assert len(found.texts) == 205
    for fact in ("number", "kind", "colour", "size", "relation"):
        assert found.facts_of_others[fact] == pytest.approx(seeing.facts.CHANCE[fact], abs=0.12)
    said = runs.over_seeds([found, found])
    assert said.above[0] == pytest.approx(found.loss / seeing.captions.entropy_given_scene() - 1)
    assert "right: caption 100.0%" in runs.show_said("perfect", said)
