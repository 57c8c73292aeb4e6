"""What a step of training a GPT needs of the memory, counted from its sizes."""

from dataclasses import asdict, dataclass

from memory_study.ways import Way
from shared.nn.gpt import GPTConfig

# Numbers of d_model that a block keeps of each token for its backward pass: the input of its first norm (1), what the
# norm makes of it (1), queries, keys and values (3), what the heads return (1), the input of the second norm (1), what
# that one makes of it (1), and the hidden features of the feed-forward network before and after the activation (4 + 4).
KEPT = 16
# While the backward pass is in a feed-forward network: the gradient of what comes out (1) and of hidden features (4).
# When the second gradient of hidden features is made (4), those behind the activation have been given back (-4).
BACK = 5


@dataclass(frozen=True)
class Needed:
    """Bytes at the moment when most is needed, by what they are for."""

    weights: float
    states: float
    gradients: float
    blocks: float
    logits: float

    @property
    def total(self) -> float:
        """All of it."""
        return sum(asdict(self).values())


def parameters(size: GPTConfig) -> int:
    """Return the number of parameters of a GPT with a tied output layer: 12 d^2 + 13 d a block, and the rest."""
    d = size.d_model
    return size.layers * (12 * d * d + 13 * d) + (size.vocab_size + size.context) * d + 2 * d


def needed(size: GPTConfig, rows: int, tokens: int, way: Way) -> Needed:
    """Return what is needed at the worst moment: where the backward pass begins, in the last or first block, after it.

    Args:
        size: of the model.
        rows: of a batch.
        tokens: of a row.
        way: how the step is done.
    """
    number = 2 if way.bfloat16 else 4  # bytes
    count, d, vocab = parameters(size), size.d_model, size.vocab_size
    weights = number * count
    states = {"float": 2 * number * count, "8 bits": 2 * (1 + 4 / 256) * count, "none": 0}[way.states]
    places = rows * tokens / way.pieces
    block = number * places * KEPT * d
    if way.bfloat16:  # on a CPU attention in bfloat16 is computed by products, which keep the weights
        block += number * places * size.heads * tokens
    back = number * places * BACK * d
    entered = number * places * d
    kept = size.layers * (entered if way.recompute else block) + 2 * entered
    earlier = number * count if way.pieces > 1 else 0  # gradients of the pieces before
    # The logarithms of the softmax, their gradient and that of the logits; in chunks two at a time are enough, and
    # the gradients of the hidden states and of the output layer are made at once.
    head = 3 * number * places * vocab
    if way.chunk is not None:
        head = 2 * number * min(way.chunk, places) * vocab + entered + number * vocab * d
    begins = Needed(weights, states, earlier, kept, head)
    twice = block if way.recompute else 0
    # Backward in the last block; with recomputing all that enters the blocks is still there.
    last = Needed(weights, states, max(earlier, number * vocab * d), kept + twice + back, 0)
    first = Needed(weights, states, number * count, (entered if way.recompute else 0) + block + back, 0)
    # In 8 bits the averages of one parameter at a time are numbers again, and so is what is added to it.
    largest = max(vocab * d, 4 * d * d)
    work = {"float": 1, "8 bits": 5, "none": 0}[way.states] * number * largest
    after = Needed(weights, states + work, number * count, 0, 0)
    return max((begins, last, first, after), key=lambda moment: moment.total)
