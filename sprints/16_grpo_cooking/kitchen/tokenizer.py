"""The tokenizer of the kitchen: words, tags and single digits, and the template that makes a prompt of a question."""

import re
from typing import TYPE_CHECKING

import torch

from kitchen.problems import MILLILITRES, PET_NAMES, draw_problems
from shared.text.quantity_problems import weighed_ingredients

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

# Tags, single digits, words with the space before them, and whatever else a question holds.
PIECE = r"</?[a-z]+>|[0-9]| ?[A-Za-z]+|."
TEMPLATE = (
    "{% for message in messages %}{% if message.role == 'user' %}<user>{{ message.content }}"
    "{% else %}{{ message.content }}<end>{% endif %}{% endfor %}{% if add_generation_prompt %}<cook>{% endif %}"
)


def kitchen_tokenizer() -> "PreTrainedTokenizerBase":
    """Return a tokenizer of transformers with the pieces of the problems as vocabulary; a digit is a token."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<end>"]
    tags = ["<user>", "<cook>", "<think>", "</think>", "<answer>", "</answer>"]
    one_each = draw_problems("train", 8, torch.Generator().manual_seed(0))
    within = " ".join(["0123456789 =+-*/;:,.?", *weighed_ingredients(), *PET_NAMES, *MILLILITRES, "ml "])
    text = "\n".join([f" {within}", *(problem.question for problem in one_each)])
    words = sorted(set(re.findall(PIECE, text)) - {*special, *tags})
    vocab = {word: index for index, word in enumerate([*special, "<unknown>", *tags, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="<unknown>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PIECE), "isolated")
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<end>",
        unk_token="<unknown>",
        chat_template=TEMPLATE,
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
    )
