"""Text to token ids and back: characters, byte-level BPE (Radford et al. 2019), GPT-2's own vocabulary.

Three vocabularies, one interface and one file format: each is a `tokenizers.Tokenizer` and is saved as tokenizer.json,
which transformers reads too. They share one control token, `<|endoftext|>`, that separates documents. Only
`Tokenizer.end_token` yields it: a text that contains those thirteen characters is encoded as thirteen characters,
so no text can end its own document. A tokenizer of transformers has to be told so, and `encode_texts` does.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import tokenizers
from tokenizers import Regex, decoders, models, pre_tokenizers, trainers

from shared.lab.files import replacing
from shared.lab.provenance import note_read
from shared.text.plain_text import check_unicode

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

END_OF_TEXT = "<|endoftext|>"

# GPT-2's pattern but for numbers, which fall into single digits: place value is easier to learn when 125 is 1, 2, 5
# than when every frequent number is a name of its own. The first digit keeps the space before it. An empty line is one
# piece, not two.
PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s*\n+|\s+(?!\S)|\s+"


class Tokenizer:
    """One interface for every vocabulary.

    Args:
        backend: a tokenizer of the library whose vocabulary contains `<|endoftext|>`.

    Attributes:
        vocab_size: number of tokens, the control token included; ids run from 0 to vocab_size - 1.
        end_token: id of the control token that separates documents.

    Raises:
        ValueError: the vocabulary has no `<|endoftext|>`.
    """

    def __init__(self, backend: tokenizers.Tokenizer) -> None:
        end_token = backend.token_to_id(END_OF_TEXT)
        if end_token is None:
            raise ValueError(
                f"a tokenizer separates documents with {END_OF_TEXT!r}, but none of its {backend.get_vocab_size()} "
                "tokens is that: add it with add_special_tokens before wrapping it"
            )
        # Despite its name the flag means: encode the characters of a special token like any others.
        backend.encode_special_tokens = True
        self.backend = backend
        self.vocab_size: int = backend.get_vocab_size()
        self.end_token: int = end_token
        # Bytes spell every text; characters spell only texts made of them, and the library would drop the others.
        self.alphabet = set(backend.get_vocab()) if isinstance(backend.decoder, decoders.Fuse) else None

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text, no control token among them.

        Raises:
            ValueError: a character that a character tokenizer does not know, or half of one.
        """
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text, encoded in parallel; errors as in `encode`."""
        check_unicode(texts)
        if self.alphabet is not None:
            for text in texts:
                self._refuse_unknown(text, set(text) - self.alphabet)
        encodings = self.backend.encode_batch_fast(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of token ids; control tokens show as `<|endoftext|>`, broken UTF-8 as U+FFFD.

        Raises:
            ValueError: an id outside the vocabulary.
        """
        if outside := [index for index in ids if not 0 <= index < self.vocab_size]:
            raise ValueError(f"token ids must be from 0 to {self.vocab_size - 1}, got {outside[0]}")
        return self.backend.decode(ids, skip_special_tokens=False)

    def tokens(self, text: str) -> list[str]:
        """Return the piece of text that each token stands for: "3 eggs" is ["3", " eggs"].

        A piece that is only a part of a character's bytes shows as U+FFFD.
        """
        return [self.decode([index]) for index in self.encode(text)]

    def save(self, folder: Path | str) -> Path:
        """Write tokenizer.json into a folder, which is made if need be, and return the path of the file."""
        path = Path(folder) / "tokenizer.json"
        with replacing(path) as temporary:
            self.backend.save(str(temporary))
        return path

    @classmethod
    def load(cls, path: Path | str) -> "Tokenizer":
        """Return the tokenizer that is saved as tokenizer.json in a folder, or in the file itself.

        Raises:
            FileNotFoundError, ValueError: there is no such file, or it is no tokenizer.
        """
        file = Path(path) / "tokenizer.json" if Path(path).is_dir() else Path(path)
        if not file.is_file():
            raise FileNotFoundError(f"a saved tokenizer is a tokenizer.json or the folder of one; there is no {file}")
        try:
            return cls(tokenizers.Tokenizer.from_file(str(note_read(file))))
        except Exception as error:  # the library has no narrower one
            raise ValueError(f"{file} is no tokenizer ({error}): give one that was saved as tokenizer.json") from None

    def _refuse_unknown(self, text: str, unknown: set[str]) -> None:
        if unknown:
            position = next(index for index, character in enumerate(text) if character in unknown)
            raise ValueError(
                f"a character tokenizer encodes only the {self.vocab_size - 1} characters it was made from, "
                f"got {text[position]!r} at position {position} ({len(unknown)} unknown in all): "
                "make it from a text that contains them, or use train_bpe, which spells any text"
            )


def character_tokenizer(text: str) -> Tokenizer:
    """Return a tokenizer of the distinct characters of a text, in the order of their code points.

    The control token has id 0, the characters follow: the vocabulary of "abba" is `<|endoftext|>`, a, b.

    Raises:
        ValueError: the text is empty.
    """
    if not text:
        raise ValueError("a character tokenizer needs a text of at least 1 character, got an empty one")
    vocabulary = {token: index for index, token in enumerate([END_OF_TEXT, *sorted(set(text))])}
    # BPE starts from single characters; without merges it ends there.
    backend = tokenizers.Tokenizer(models.BPE(vocabulary, []))
    backend.decoder = decoders.Fuse()
    backend.add_special_tokens([END_OF_TEXT])
    return Tokenizer(backend)


def train_bpe(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Return a byte-level BPE learnt from texts, which encodes every text and is the same whenever they are.

    The control token has id 0, the 256 bytes follow, then the merges of the most frequent pairs. Merges stay inside the
    pieces of `PATTERN`: a word or a digit with the space before it, a run of other signs or of blanks.

    Args:
        texts: what to count pairs in.
        vocab_size: the largest number of tokens; a small text has fewer pairs to merge (see `Tokenizer.vocab_size`).

    Raises:
        ValueError: no room for the bytes and the control token.
    """
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    if vocab_size <= len(alphabet):
        raise ValueError(f"vocab_size must be at least {len(alphabet) + 1} (256 bytes and 1 control), got {vocab_size}")
    backend = tokenizers.Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(PATTERN), behavior="isolated")
    to_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.pre_tokenizer = pre_tokenizers.Sequence([split, to_bytes])
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=[END_OF_TEXT], initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(texts, trainer)
    return Tokenizer(backend)


def gpt2_tokenizer(folder: Path | str) -> Tokenizer:
    """Return GPT-2's tokenizer (50,257 tokens, `<|endoftext|>` the last) from its encoder.json and vocab.bpe.

    Raises:
        FileNotFoundError: the folder lacks one of the two files.
    """
    paths = [Path(folder) / name for name in ("encoder.json", "vocab.bpe")]
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"GPT-2's tokenizer is made from encoder.json and vocab.bpe; there is no {path}")
    backend = tokenizers.Tokenizer(models.BPE.from_file(*map(str, paths)))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([END_OF_TEXT])
    return Tokenizer(backend)


def encode_texts(texts: Sequence[str], tokenizer: "Tokenizer | PreTrainedTokenizerBase") -> list[list[int]]:
    """Return the token ids of each text; what looks like a control token is encoded as the characters that it is."""
    if isinstance(tokenizer, Tokenizer):
        return tokenizer.encode_batch(texts)
    check_unicode(texts)
    return tokenizer(list(texts), add_special_tokens=False, split_special_tokens=True)["input_ids"]


def encode_documents(texts: Sequence[str], tokenizer: "Tokenizer | PreTrainedTokenizerBase") -> list[list[int]]:
    """Return the token ids of each text, as by `encode_texts`, between two end tokens: where it begins and ends."""
    end = tokenizer.end_token if isinstance(tokenizer, Tokenizer) else tokenizer.eos_token_id
    return [[end, *ids, end] for ids in encode_texts(texts, tokenizer)]
