"""shared/text/tokenizers.py: agreement with transformers, round trips, refusals."""

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.lab import provenance
from shared.lab.paths import DATA
from shared.text.tokenizers import (
    END_OF_TEXT,
    Tokenizer,
    character_tokenizer,
    encode_documents,
    encode_texts,
    gpt2_tokenizer,
    train_bpe,
)

TEXTS = [
    "Warm the oil. Add 250 g of rice and 3 eggs; don't stir!\n\n  Serves 4.\n",
    "Rice with rice, then more rice: it's 125 g for 2, 250 g for 4.\t",
    "Crème brûlée, 鸡蛋, 🍳👩‍🍳, half½ x²",
]
BPE = train_bpe(TEXTS * 3, 320)


@pytest.fixture(scope="module")
def gpt2_folder() -> Path:
    if "SPRINTS_DATA" not in os.environ:
        pytest.skip("needs gpt2/encoder.json and vocab.bpe in the folder SPRINTS_DATA")
    return Path(os.environ["SPRINTS_DATA"]) / "gpt2"


@pytest.fixture(params=["characters", "bpe"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return character_tokenizer("".join(TEXTS) + END_OF_TEXT) if request.param == "characters" else BPE


# Agreement with transformers


def test_gpt2_is_that_of_transformers(gpt2_folder):
    from transformers import GPT2Tokenizer

    reference = GPT2Tokenizer(vocab=str(gpt2_folder / "encoder.json"), merges=str(gpt2_folder / "vocab.bpe"))
    ours = gpt2_tokenizer(gpt2_folder)
    assert (ours.vocab_size, ours.end_token) == (len(reference), reference.eos_token_id) == (50257, 50256)
    play = (gpt2_folder.parent / "tinyshakespeare" / "input.txt").read_text()[:20_000]
    for text in [*TEXTS, play, "", " ", "\n\n \n", "1234567 12,5 can't CAN'T", "a\u00a0b\u200b"]:
        ids = ours.encode(text)
        assert ids == reference.encode(text), repr(text)
        assert ours.decode(ids) == text
    literal = f"a{END_OF_TEXT} b"
    assert ours.encode(literal) == reference.encode(literal, split_special_tokens=True)


def test_saved_file_serves_transformers(tokenizer, tmp_path):
    from transformers import PreTrainedTokenizerFast

    reference = PreTrainedTokenizerFast(tokenizer_file=str(tokenizer.save(tmp_path)), eos_token=END_OF_TEXT)
    assert (len(reference), reference.eos_token_id) == (tokenizer.vocab_size, tokenizer.end_token)
    for text in TEXTS:
        assert reference.encode(text) == tokenizer.encode(text)
        assert reference.decode(tokenizer.encode(text)) == text
    reference.save_pretrained(tmp_path / "folder")
    assert Tokenizer.load(tmp_path / "folder").encode(TEXTS[0]) == tokenizer.encode(TEXTS[0])


# Properties


@given(st.text())
@example("\r\n\u2028\u0000 \u0301e\ufffd")
@example(f"{END_OF_TEXT}{END_OF_TEXT[:5]}")
def test_bpe_spells_any_text(text):
    ids = BPE.encode(text)
    assert BPE.decode(ids) == text
    assert BPE.end_token not in ids
    assert BPE.encode_batch([text, "rice"]) == [ids, BPE.encode("rice")]


@given(st.text(alphabet=sorted(set("".join(TEXTS)))))
def test_a_character_is_a_token(text):
    tokenizer = character_tokenizer("".join(TEXTS))
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.tokens(text) == list(text)
    assert [text_id > 0 for text_id in ids] == [True] * len(text)


def test_save_and_load(tokenizer, tmp_path):
    path = tokenizer.save(tmp_path / "new" / "folder")
    for loaded in (Tokenizer.load(path), Tokenizer.load(path.parent), Tokenizer.load(str(path))):
        assert (loaded.vocab_size, loaded.end_token) == (tokenizer.vocab_size, tokenizer.end_token)
        assert loaded.encode_batch([*TEXTS, END_OF_TEXT]) == tokenizer.encode_batch([*TEXTS, END_OF_TEXT])
        assert loaded.decode(range(tokenizer.vocab_size)) == tokenizer.decode(range(tokenizer.vocab_size))
    assert [file.name for file in path.parent.iterdir()] == ["tokenizer.json"]


def test_training_is_deterministic():
    # Hash maps in the library are seeded anew each time, so an order that depends on them would show.
    files = {train_bpe(iter(TEXTS * 3), 320).backend.to_str() for _ in range(5)}
    assert files == {BPE.backend.to_str()}


def test_no_text_ends_its_own_document(tokenizer):
    text = f"rice{END_OF_TEXT}eggs"
    assert tokenizer.end_token == 0
    assert tokenizer.end_token not in tokenizer.encode(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    document = [*tokenizer.encode("rice"), tokenizer.end_token]
    assert tokenizer.decode(document) == f"rice{END_OF_TEXT}"


def test_a_document_stands_between_end_tokens_whoever_encodes(tokenizer, tmp_path):
    from transformers import PreTrainedTokenizerFast

    documents = encode_documents(TEXTS, tokenizer)
    for text, document in zip(TEXTS, documents, strict=True):
        assert document[0] == document[-1] == tokenizer.end_token
        assert tokenizer.decode(document[1:-1]) == text
    theirs = PreTrainedTokenizerFast(tokenizer_file=str(tokenizer.save(tmp_path)), eos_token=END_OF_TEXT)
    assert encode_documents(TEXTS, theirs) == documents
    text = f"rice{END_OF_TEXT}eggs"
    for kind in (tokenizer, theirs):
        (ids,) = encode_texts([text], kind)
        assert tokenizer.end_token not in ids, "a text cannot end its own document, whoever encodes it"
        assert tokenizer.decode(ids) == text
        with pytest.raises(ValueError, match=r"got half of a character, '.udcff', at position 2"):
            encode_texts(["it", "ab\udcff"], kind)
    assert encode_documents([""], tokenizer) == [[tokenizer.end_token] * 2]


def test_a_result_rests_on_the_saved_tokenizer_that_it_read():
    provenance.forget_reads()
    Tokenizer.load(DATA / "models" / "cookbook-gpt2")
    assert list(provenance.provenance(Path(__file__))["data"]) == ["data/models/cookbook-gpt2/tokenizer.json"]


def test_numbers_are_digits():
    assert BPE.tokens("125 g rice 250") == ["1", "2", "5", " g", " rice", " 2", "5", "0"]
    assert BPE.tokens(" rice") == [" rice"]
    assert BPE.tokens("ç") == ["�", "�"]
    assert BPE.vocab_size == 320


def test_a_small_text_has_few_merges():
    tokenizer = train_bpe(["abab"], 1000)
    assert tokenizer.vocab_size == 257 + 2
    assert tokenizer.tokens("abab") == ["abab"]


# Errors


def test_unknown_characters_are_named(tmp_path):
    tokenizer = Tokenizer.load(character_tokenizer("rice").save(tmp_path))
    with pytest.raises(ValueError, match=r"4 characters .* got 'é' at position 2 \(4 unknown"):
        tokenizer.encode("icéd è")
    with pytest.raises(ValueError, match="'X' at position 0"):
        tokenizer.encode_batch(["rice", "X"])


def test_errors(tmp_path):
    import tokenizers

    with pytest.raises(ValueError, match=r"at least 257 .* got 256"):
        train_bpe(TEXTS, 256)
    with pytest.raises(ValueError, match="empty"):
        character_tokenizer("")
    with pytest.raises(ValueError, match="from 0 to 319, got 320"):
        BPE.decode([5, 320])
    with pytest.raises(ValueError, match="none of its 0 tokens"):
        Tokenizer(tokenizers.Tokenizer(tokenizers.models.BPE()))
    with pytest.raises(FileNotFoundError, match=r"there is no .*tokenizer\.json"):
        Tokenizer.load(tmp_path)
    for content in ("{", '{"version": "1.0"}', "not JSON"):
        (tmp_path / "tokenizer.json").write_text(content)
        with pytest.raises(ValueError, match=r"tokenizer\.json is no tokenizer"):
            Tokenizer.load(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"there is no .*encoder\.json"):
        gpt2_tokenizer(tmp_path)
