"""The encoder-decoder (Vaswani et al. 2017, figure 1), assembled from the parts in attention, positions and blocks.

Rows are padded on the right with token 0; masks are True where a token is real. A row of targets is the begin token,
what there is to say, and the end token.
"""

import math
from dataclasses import dataclass
from typing import Literal, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from shared.generation.sampling import sample
from shared.nn.attention import Keys, KeyValueCache
from shared.nn.blocks import Activation, DecoderBlock, EncoderBlock, Norm
from shared.nn.positions import LearnedPositions, SinusoidalPositions
from shared.text.batches import Batch

Source = Int[Tensor, "batch source"]
SourceMask = Bool[Tensor, "batch source"]
Target = Int[Tensor, "batch targets"]
TargetMask = Bool[Tensor, "batch targets_so_far"]
Memory = Float[Tensor, "batch source d_model"]


@dataclass(frozen=True)
class Seq2SeqConfig:
    """The size and the kind of an encoder-decoder.

    Args:
        source_vocab, target_vocab: distinct tokens of sources and of targets.
        source_context, target_context: the most tokens of a source and of a target, and so positions.
        encoder_layers, decoder_layers: blocks.
        heads, d_model, d_hidden, dropout, norm, activation, epsilon: as in `shared.nn.blocks`.
        positions: "sinusoidal" as in the paper, or "learned".
        begin_token, end_token: what starts a target, and what ends it.

    Raises:
        ValueError: a size below 1, a dropout outside [0, 1), an unknown kind, begin or end not among the targets.
    """

    source_vocab: int
    target_vocab: int
    source_context: int = 64
    target_context: int = 64
    encoder_layers: int = 2
    decoder_layers: int = 2
    heads: int = 4
    d_model: int = 64
    d_hidden: int | None = None
    dropout: float = 0.0
    positions: Literal["sinusoidal", "learned"] = "sinusoidal"
    norm: Norm = "pre"
    activation: Activation = "relu"
    epsilon: float = 1e-5
    begin_token: int = 1
    end_token: int = 2

    def __post_init__(self) -> None:
        sizes = ("source_vocab", "target_vocab", "source_context", "target_context", "encoder_layers")
        sizes = (*sizes, "decoder_layers", "heads", "d_model")
        wrong = [f"{name}={getattr(self, name)}" for name in sizes if getattr(self, name) < 1]
        if wrong:
            raise ValueError(f"the sizes of an encoder-decoder must be at least 1; got {', '.join(wrong)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"a dropout must be at least 0 and below 1; got {self.dropout}")
        if self.positions not in ("sinusoidal", "learned"):
            raise ValueError(f"positions must be 'sinusoidal' or 'learned'; got {self.positions!r}")
        if not (0 <= self.begin_token < self.target_vocab and 0 <= self.end_token < self.target_vocab):
            raise ValueError(
                f"begin and end must be among the {self.target_vocab} target tokens; "
                f"got begin_token={self.begin_token} and end_token={self.end_token}"
            )


class TokenInput(nn.Module):
    """Tokens as the blocks read them: embedding times sqrt(d_model) plus position (Vaswani et al. 2017, section 3.4).

    Args:
        name: what the tokens are called in errors.
        vocab_size: distinct tokens.
        context: positions.
        config: features, kind of positions, dropout.
    """

    def __init__(self, name: str, vocab_size: int, context: int, config: Seq2SeqConfig) -> None:
        super().__init__()
        self.name, self.context = name, context
        self.embedding = nn.Embedding(vocab_size, config.d_model)
        kind = LearnedPositions if config.positions == "learned" else SinusoidalPositions
        self.positions = kind(context, config.d_model)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, tokens: Int[Tensor, "batch tokens"], past: int = 0) -> Float[Tensor, "batch tokens d_model"]:
        """Return the features of tokens that stand after `past` others.

        Raises:
            ValueError: no tokens, more than there are positions, or a token outside of the vocabulary.
        """
        total, vocab_size = past + tokens.shape[1], self.embedding.num_embeddings
        if tokens.shape[1] == 0 or total > self.context:
            raise ValueError(f"a {self.name} must have 1 to {self.context} tokens; got {total}")
        if tokens.min() < 0 or tokens.max() >= vocab_size:
            raise ValueError(
                f"tokens of a {self.name} must be from 0 to {vocab_size - 1}; "
                f"got {tokens.min().item()} to {tokens.max().item()}"
            )
        x = self.embedding(tokens) * math.sqrt(self.embedding.embedding_dim)
        return self.dropout(x + self.positions(torch.arange(past, total, device=tokens.device)))


class Encoder(nn.Module):
    """Blocks that read the whole source."""

    def __init__(self, config: Seq2SeqConfig) -> None:
        super().__init__()
        self.input = TokenInput("source", config.source_vocab, config.source_context, config)
        self.blocks = nn.ModuleList(EncoderBlock(**_block(config)) for _ in range(config.encoder_layers))
        # Post-norm blocks end with a norm of their own.
        self.norm = nn.LayerNorm(config.d_model, config.epsilon) if config.norm == "pre" else nn.Identity()

    def forward(self, source: Source, mask: SourceMask | None = None) -> Memory:
        """Return the memory: features of each source token in its context. The mask is True at real tokens."""
        x = self.input(source)
        for block in self.blocks:
            x = block(x, _for_keys(mask))
        return self.norm(x)


class Decoder(nn.Module):
    """Blocks that read the targets so far, and the memory."""

    def __init__(self, config: Seq2SeqConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.input = TokenInput("target", config.target_vocab, config.target_context, config)
        self.blocks = nn.ModuleList(DecoderBlock(**_block(config)) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(config.d_model, config.epsilon) if config.norm == "pre" else nn.Identity()
        self.head = nn.Linear(config.d_model, config.target_vocab, bias=False)

    def hidden(
        self,
        target: Target,
        memory: Memory | list[tuple[Keys, Keys]],
        memory_mask: SourceMask | None = None,
        mask: TargetMask | None = None,
        cache: list[KeyValueCache] | None = None,
    ) -> Float[Tensor, "batch targets d_model"]:
        """Return what the output layer reads; arguments as in `forward`."""
        x = self.input(target, cache[0].length if cache else 0)
        for layer, block in enumerate(self.blocks):
            seen = memory if isinstance(memory, Tensor) else memory[layer]
            x = block(x, seen, _for_keys(mask), _for_keys(memory_mask), cache[layer] if cache else None)
        return self.norm(x)

    def forward(
        self,
        target: Target,
        memory: Memory | list[tuple[Keys, Keys]],
        memory_mask: SourceMask | None = None,
        mask: TargetMask | None = None,
        cache: list[KeyValueCache] | None = None,
    ) -> Float[Tensor, "batch targets vocab"]:
        """Return the logits of the token after each target token.

        Args:
            target: token ids; each position sees itself and what came before.
            memory: the encoder's output, or what `remember` made of it.
            memory_mask: True where a source token is real.
            mask: True where a target token is real, for all so far (causality alone hides padding on the right).
            cache: one cache a layer with the targets before these; see `new_cache`.
        """
        return self.head(self.hidden(target, memory, memory_mask, mask, cache))

    def remember(self, memory: Memory) -> list[tuple[Keys, Keys]]:
        """Return the keys and values that each layer's cross-attention makes of the memory."""
        return [cast(DecoderBlock, block).cross_attention.remember(memory) for block in self.blocks]

    def new_cache(self, batch: int, max_tokens: int) -> list[KeyValueCache]:
        """Return an empty cache for each layer, with room for `max_tokens`."""
        weight, head_dim = self.head.weight, self.head.in_features // self.heads
        return [
            KeyValueCache(batch, self.heads, max_tokens, head_dim, weight.dtype, weight.device) for _ in self.blocks
        ]


class EncoderDecoder(nn.Module):
    """An encoder and a decoder.

    Args:
        config: size and kind.
        generator: draws the initial weights (default: PyTorch's global one).
    """

    def __init__(self, config: Seq2SeqConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        for name, parameter in self.named_parameters():
            if name.endswith(("input.embedding.weight", "positions.weight")):
                # TokenInput multiplies by the root of d_model: features start with variance 1, as the positions have.
                deviation = 1.0 if "positions" in name else config.d_model**-0.5
                nn.init.normal_(parameter, std=deviation, generator=generator)
            elif name == "decoder.head.weight":
                nn.init.normal_(parameter, std=0.02, generator=generator)  # small: the first guess is uniform
            elif parameter.dim() == 2:
                nn.init.xavier_uniform_(parameter, generator=generator)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(
        self,
        source: Source,
        target: Target,
        source_mask: SourceMask | None = None,
        target_mask: TargetMask | None = None,
    ) -> Float[Tensor, "batch targets vocab"]:
        """Return the logits of the token after each target token; masks are True where a token is real."""
        return self.decoder(target, self.encoder(source, source_mask), source_mask, target_mask)

    def parameter_count(self) -> int:
        """Return the number of parameters."""
        return sum(parameter.numel() for parameter in self.parameters())


class Steps:
    """Logits of the next token, one token at a time, with nothing computed twice.

    The source is encoded once, the cross-attention's keys and values are made once, and those of the targets are kept.

    Args:
        model: in evaluation mode, unless dropout is wanted.
        source, source_mask: as in `EncoderDecoder`.
        max_tokens: the most steps.
        width: rows of targets for each source, one after another.
    """

    def __init__(
        self, model: EncoderDecoder, source: Source, source_mask: SourceMask | None, max_tokens: int, width: int = 1
    ) -> None:
        self.decoder = model.decoder
        remembered = self.decoder.remember(model.encoder(source, source_mask))
        self.memory = [
            (key.repeat_interleave(width, 0), value.repeat_interleave(width, 0)) for key, value in remembered
        ]
        self.mask = None if source_mask is None else source_mask.repeat_interleave(width, 0)
        self.caches = self.decoder.new_cache(len(source) * width, max_tokens)

    def __call__(self, tokens: Int[Tensor, " rows"]) -> Float[Tensor, "rows vocab"]:
        """Append a token to each row and return the logits of the one after it."""
        return self.decoder(tokens[:, None], self.memory, self.mask, cache=self.caches)[:, 0]

    def reorder(self, rows: Int[Tensor, " rows"]) -> None:
        """Go on with these rows of targets, in this order; each has to stay with its source."""
        for cache in self.caches:
            cache.keys, cache.values = cache.keys[rows], cache.values[rows]


@torch.no_grad()
def decode(
    model: EncoderDecoder,
    source: Source,
    source_mask: SourceMask | None = None,
    *,
    max_new_tokens: int,
    temperature: int | float = 0.0,
    generator: torch.Generator | None = None,
    use_cache: bool = True,
) -> Batch:
    """Return a target for each source, from the begin token on, drawn token by token.

    Args:
        model, source, source_mask: as in `Steps`; without a cache any module that maps them and targets to logits.
        max_new_tokens: where a row is cut if it does not end.
        temperature: 0 takes the most probable token, 1 draws from the model's distribution.
        generator: see `shared.generation.sampling.sample`.
        use_cache: keep keys and values instead of computing everything again for each token.
    """
    begin, end = model.config.begin_token, model.config.end_token
    steps = Steps(model, source, source_mask, max_new_tokens) if use_cache else None
    tokens = source.new_full((len(source), 1), begin)
    mask = torch.ones_like(tokens, dtype=torch.bool)
    for _ in range(max_new_tokens):
        logits = steps(tokens[:, -1]) if steps else model(source, tokens, source_mask)[:, -1]
        drawn = sample(logits, temperature=temperature, generator=generator)[:, None]
        going = mask[:, -1:] & (tokens[:, -1:] != end)
        tokens = torch.cat([tokens, drawn.masked_fill(~going, 0)], dim=1)
        mask = torch.cat([mask, going], dim=1)
        if not (going & (drawn != end)).any():
            break
    return Batch(tokens, mask)


@torch.no_grad()
def beam_search(
    model: EncoderDecoder,
    source: Source,
    source_mask: SourceMask | None = None,
    *,
    width: int,
    max_new_tokens: int,
    length_power: float | int = 0.0,
) -> tuple[Batch, Float[Tensor, " batch"]]:
    """Return the best target found for each source, from the begin token on, and its log-probability.

    Of all ways to go on, the `width` most probable stay at each step. Of those at the end the best has the highest
    log-probability / tokens^length_power; one that did not end is taken only where none did.

    Args:
        model, source, source_mask: as in `Steps`.
        width: hypotheses for each source; 1 is greedy decoding.
        max_new_tokens: the most tokens after the first.
        length_power: 0 compares probabilities, which favours short targets; 1 compares means over tokens.

    Raises:
        ValueError: a width below 1.
    """
    if width < 1:
        raise ValueError(f"a beam must have a width of at least 1; got {width}")
    batch, vocab = len(source), model.config.target_vocab
    steps = Steps(model, source, source_mask, max_new_tokens, width)
    first = torch.arange(batch, device=source.device)[:, None] * width
    tokens = source.new_full((batch, width, 1), model.config.begin_token)
    ended = torch.zeros(batch, width, dtype=torch.bool, device=source.device)
    lengths = source.new_zeros(batch, width)
    # At first all rows of a beam are the same, so only one of them counts.
    scores = torch.full((batch, width), -math.inf, device=source.device)
    scores[:, 0] = 0.0
    only_padding = torch.full((vocab,), -math.inf, device=source.device)
    only_padding[0] = 0.0
    for _ in range(max_new_tokens):
        log_probs = steps(tokens[:, :, -1].flatten()).log_softmax(dim=-1).unflatten(0, (batch, width))
        # A hypothesis that has ended goes on in one way only, which costs nothing.
        log_probs = torch.where(ended[..., None], only_padding, log_probs)
        scores, index = (scores[..., None] + log_probs).flatten(1).topk(width, dim=1)
        parents, drawn = index // vocab, index % vocab
        ended = ended.gather(1, parents)
        lengths = lengths.gather(1, parents) + ~ended
        before = tokens.gather(1, parents[..., None].expand(-1, -1, tokens.shape[2]))
        tokens = torch.cat([before, drawn[..., None]], dim=2)
        ended = ended | (drawn == model.config.end_token)
        if (ended | scores.isneginf()).all():
            break
        steps.reorder((first + parents).flatten())
    ranking = scores / lengths**length_power
    best = ranking.masked_fill(~ended & ended.any(dim=1, keepdim=True), -math.inf).argmax(dim=1, keepdim=True)
    tokens = tokens.gather(1, best[..., None].expand(-1, -1, tokens.shape[2]))[:, 0]
    mask = torch.arange(tokens.shape[1], device=source.device) <= lengths.gather(1, best)
    return Batch(tokens, mask), scores.gather(1, best)[:, 0]


def _for_keys(mask: Bool[Tensor, "batch keys"] | None) -> Bool[Tensor, "batch 1 1 keys"] | None:
    return None if mask is None else mask[:, None, None, :]


def _block(config: Seq2SeqConfig) -> dict:
    names = ("d_model", "heads", "d_hidden", "norm", "activation", "dropout", "epsilon")
    return {name: getattr(config, name) for name in names}
