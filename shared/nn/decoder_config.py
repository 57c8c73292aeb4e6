"""The switches by which one decoder is GPT-2, Llama 3, Qwen 3 or Gemma: `shared/nn/decoder.py` reads them.

gpt2 = DecoderConfig.gpt2(vocab_size=512)
rung = dataclasses.replace(gpt2, norm="rms", bias=False)
"""

from dataclasses import dataclass
from typing import Any, Literal

from shared.nn.gated import GATES, GateActivation
from shared.nn.rotary import Llama3Scaling

NormKind = Literal["layer", "rms"]
Placement = Literal["before", "around"]
FeedForwardKind = Literal["plain", "gated"]
Positions = Literal["learned", "rotary", "none"]
Pairing = Literal["halves", "interleaved"]
# Options that take one of a few words.
WORDS: dict[str, tuple[str, ...]] = {
    "norm": ("layer", "rms"),
    "placement": ("before", "around"),
    "feed_forward": ("plain", "gated"),
    "activation": tuple(GATES),
    "positions": ("learned", "rotary", "none"),
    "pairing": ("halves", "interleaved"),
}


@dataclass(frozen=True)
class DecoderConfig:
    """The size and the kind of a decoder; the defaults are a small GPT-2.

    Args:
        vocab_size: distinct tokens.
        context: tokens that the model is made for; learned positions end there, rotary ones do not.
        layers: blocks.
        heads: query heads of a block.
        key_value_heads: heads of keys and values (default: as many as of queries).
        head_dim: features of a head (default: d_model / heads).
        d_model: features of a token.
        d_hidden: hidden features of the feed-forward networks (default: 4 d_model, gated: 8/3 d_model, the same size).
        norm: "layer" (layer normalisation, Ba et al. 2016) or "rms" (Zhang & Sennrich 2019).
        placement: norms "before" each part (GPT-2, Llama) or "around" it, before and behind (Gemma 2 and 3).
        bias: whether projections, feed-forward networks and layer norms add one.
        feed_forward: "plain" (two matrices) or "gated" (three; Shazeer 2020).
        activation: "gelu_tanh" (GPT-2, Gemma), "silu" (Llama, Qwen), "gelu" or "relu".
        positions: "learned" and added, "rotary", or "none".
        theta: base of the rotary positions.
        local_theta: that of layers with a window (default: `theta`; Gemma 3 has 10,000 there and a million elsewhere).
        scaling: slows the rotation of layers without a window down.
        pairing: which features rotary positions turn together (`shared/nn/rotary.py`).
        qk_norm: whether queries and keys are normalised, each head by itself, before they are turned (Qwen 3, Gemma 3).
        score_scale: what scores are multiplied with (default: 1 / sqrt(head_dim)).
        score_cap: scores s become cap * tanh(s / cap) (Gemma 2: 50; None: they stay).
        window: tokens that a local layer sees, the token itself and those before it (None: every layer sees all).
        global_every: of the layers with a window, every so-many-th has none (Gemma 2: 2, Gemma 3: 6; None: all have).
        scale_embedding: whether token embeddings are multiplied with sqrt(d_model) (Gemma).
        tie_weights: use the token embedding as output layer too.
        logit_cap: logits z become cap * tanh(z / cap) (Gemma 2: 30; None: they stay).
        epsilon: what norms add to the variance or the mean square.

    Raises:
        ValueError: a size below 1, heads that do not fit, an odd head with rotary positions, an unknown word, a cap
            that is not above 0, a `global_every` or a `local_theta` without a window.
    """

    vocab_size: int
    context: int = 256
    layers: int = 4
    heads: int = 4
    key_value_heads: int | None = None
    head_dim: int | None = None
    d_model: int = 128
    d_hidden: int | None = None
    norm: NormKind = "layer"
    placement: Placement = "before"
    bias: bool = True
    feed_forward: FeedForwardKind = "plain"
    activation: GateActivation = "gelu_tanh"
    positions: Positions = "learned"
    theta: float = 10_000.0
    local_theta: float | None = None
    scaling: Llama3Scaling | None = None
    pairing: Pairing = "halves"
    qk_norm: bool = False
    score_scale: float | None = None
    score_cap: float | None = None
    window: int | None = None
    global_every: int | None = None
    scale_embedding: bool = False
    tie_weights: bool = True
    logit_cap: float | None = None
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        sizes = ("vocab_size", "context", "layers", "heads", "key_value_heads", "head_dim", "d_model", "d_hidden")
        given = {name: getattr(self, name) for name in (*sizes, "window", "global_every")}
        if wrong := [f"{name}={size}" for name, size in given.items() if size is not None and size < 1]:
            raise ValueError(f"the sizes of a decoder must be at least 1; got {', '.join(wrong)}")
        if (self.head_dim is None and self.d_model % self.heads) or self.heads % self.groups:
            raise ValueError(
                "heads must divide d_model, unless head_dim is given, and key_value_heads must divide heads; got "
                f"d_model={self.d_model}, heads={self.heads}, key_value_heads={self.groups}"
            )
        if self.positions == "rotary" and self.features % 2:
            raise ValueError(f"rotary positions turn pairs of features; head_dim must be even, got {self.features}")
        for name, words in WORDS.items():
            if getattr(self, name) not in words:
                raise ValueError(f"{name} must be one of {', '.join(words)}; got {getattr(self, name)!r}")
        for name in ("score_cap", "logit_cap", "score_scale"):
            if (value := getattr(self, name)) is not None and value <= 0:
                raise ValueError(f"{name} must be above 0; got {value}: give None for none")
        if self.window is None and (self.global_every, self.local_theta) != (None, None):
            raise ValueError(
                "global_every and local_theta are for models whose layers have a window; got "
                f"global_every={self.global_every}, local_theta={self.local_theta}: give a window too"
            )

    @property
    def groups(self) -> int:
        """Return the heads of keys and values."""
        return self.heads if self.key_value_heads is None else self.key_value_heads

    @property
    def features(self) -> int:
        """Return the features of a head."""
        return self.d_model // self.heads if self.head_dim is None else self.head_dim

    @property
    def hidden(self) -> int:
        """Return the hidden features of a feed-forward network."""
        default = 8 * self.d_model // 3 if self.feed_forward == "gated" else 4 * self.d_model
        return default if self.d_hidden is None else self.d_hidden

    def window_of(self, layer: int) -> int | None:
        """Return how many tokens a layer sees (None: all), layers counted from 0."""
        is_global = self.global_every is not None and (layer + 1) % self.global_every == 0
        return None if is_global else self.window

    def cache_numbers(self, tokens: int) -> int:
        """Return how many numbers of a text of so many tokens are kept: keys and values, in a window only its own."""
        kept = sum(min(tokens, self.window_of(layer) or tokens) for layer in range(self.layers))
        return 2 * self.groups * self.features * kept

    @classmethod
    def gpt2(cls, vocab_size: int, **options: Any) -> "DecoderConfig":
        """Return GPT-2 (Radford et al. 2019): the defaults."""
        return cls(vocab_size, **options)

    @classmethod
    def llama(cls, vocab_size: int, **options: Any) -> "DecoderConfig":
        """Return Llama 3 (Grattafiori et al. 2024): RMSNorm, no biases, SwiGLU, rotary positions."""
        kind: dict[str, Any] = {"norm": "rms", "bias": False, "feed_forward": "gated", "activation": "silu"}
        kind |= {"positions": "rotary", "theta": 500_000.0, "tie_weights": False}
        return cls(vocab_size, **kind | options)

    @classmethod
    def qwen3(cls, vocab_size: int, **options: Any) -> "DecoderConfig":
        """Return Qwen 3 (Yang et al. 2025): a Llama with normalised queries and keys."""
        kind: dict[str, Any] = {"qk_norm": True, "theta": 1_000_000.0, "epsilon": 1e-6}
        return cls.llama(vocab_size, **kind | options)

    @classmethod
    def gemma2(cls, vocab_size: int, **options: Any) -> "DecoderConfig":
        """Return Gemma 2 (Gemma Team 2024): GeGLU, norms around the parts, soft caps, a window in every other layer."""
        kind: dict[str, Any] = {
            "activation": "gelu_tanh",
            "placement": "around",
            "scale_embedding": True,
            "tie_weights": True,
        }
        caps: dict[str, Any] = {"score_cap": 50.0, "logit_cap": 30.0, "window": 4096, "global_every": 2}
        return cls.llama(vocab_size, **kind | caps | {"theta": 10_000.0, "epsilon": 1e-6} | options)

    @classmethod
    def gemma3(cls, vocab_size: int, **options: Any) -> "DecoderConfig":
        """Return Gemma 3 (Gemma Team 2025): normalised queries and keys in place of caps, windows in five of six."""
        kind: dict[str, Any] = {
            "qk_norm": True,
            "score_cap": None,
            "logit_cap": None,
            "window": 1024,
            "global_every": 6,
        }
        return cls.gemma2(vocab_size, **kind | {"theta": 1_000_000.0, "local_theta": 10_000.0} | options)
