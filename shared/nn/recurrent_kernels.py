"""The recurrent networks of `shared/nn/recurrent.py` by PyTorch's kernels: the same layer, for long trainings.

On a CPU the kernel keeps what it multiplies in its own layout from step to step; on a GPU all layers and tokens run in
one program. The parameters have the same names, so a model is trained with one and read with the other.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from shared.nn.causal_convolution import take_tokens
from shared.nn.recurrent import Recurrent, Tokens
from shared.nn.sequence_model import State


class FusedRecurrent(Recurrent):
    """`Recurrent` with PyTorch's kernel: the same arguments, parameters, states and results."""

    def forward(
        self, x: Tokens, state: State | None = None, mask: Bool[Tensor, "batch tokens"] | None = None
    ) -> tuple[Float[Tensor, "batch tokens output"], State]:
        """Return the hidden state of the last layer at each token, and the state of all layers behind the last token.

        Args:
            x: (batch, tokens, input_size).
            state: (batch, layers * directions, hidden_size); of an LSTM two of these, h and c. None for zeros.
            mask: True where a token is real; None if all are.

        Raises:
            ValueError: no token, or shapes that do not fit.
        """
        state = self.start(x, state, mask)
        if mask is None or mask.all():
            return self._dense(x, state)
        # The kernel knows padding on the right only: real tokens move to the left, and their outputs back.
        places = (~mask).long().argsort(dim=1, stable=True)  # (batch, tokens): in each row the real tokens first
        lengths, rows = mask.sum(dim=1), mask.any(dim=1)  # a row of nothing but padding is left out
        read, after = self._packed(
            take_tokens(x, places)[rows], tuple(part[rows] for part in state), lengths[rows].cpu()
        )
        outputs = x.new_zeros(*x.shape[:2], self.hidden_size * self.directions).masked_scatter(mask.unsqueeze(-1), read)
        state = tuple(before.masked_scatter(rows[:, None, None], new) for before, new in zip(state, after, strict=True))
        return outputs, state

    def _dense(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Run the kernel on rows without padding."""
        begin = tuple(part.transpose(0, 1).contiguous() for part in state)
        settings = (True, self.layers, 0.0, self.training, self.directions == 2, True)
        if self.kind == "lstm":
            output, *end = torch.lstm(x, begin, self._all_weights(), *settings)
        else:
            kernel = torch.gru if self.kind == "gru" else torch.rnn_tanh
            output, *end = kernel(x, begin[0], self._all_weights(), *settings)
        return output, tuple(part.transpose(0, 1) for part in end)

    def _packed(self, x: Tensor, state: State, lengths: Tensor) -> tuple[Tensor, State]:
        """Run the kernel on rows with padding on the right; return the outputs of the real tokens, row by row."""
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        begin = tuple(part[packed.sorted_indices].transpose(0, 1).contiguous() for part in state)
        settings = (True, self.layers, 0.0, self.training, self.directions == 2)
        if self.kind == "lstm":
            data, *end = torch.lstm(packed.data, packed.batch_sizes, begin, self._all_weights(), *settings)
        else:
            kernel = torch.gru if self.kind == "gru" else torch.rnn_tanh
            data, *end = kernel(packed.data, packed.batch_sizes, begin[0], self._all_weights(), *settings)
        outputs, _ = pad_packed_sequence(packed._replace(data=data), batch_first=True)
        real = torch.arange(outputs.shape[1])[None] < lengths[:, None]
        return outputs[real.to(outputs.device)], tuple(part.transpose(0, 1)[packed.unsorted_indices] for part in end)

    def _all_weights(self) -> list[Tensor]:
        return [
            part
            for layer in range(self.layers)
            for direction in range(self.directions)
            for part in self.weights(layer, direction)
        ]
