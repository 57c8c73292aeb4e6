"""A diagonal state space, S4D: a linear recurrence whose decays are the same at every token, so it is a convolution.

A continuous system h'(t) = A h(t) + B x(t), y(t) = Re(C h(t)) + D x(t) is read at steps of dt, its input held constant
in between (zero-order hold): h_k = exp(dt A) h_{k-1} + (exp(dt A) - 1) / A B x_k. Gu et al. 2022, *On the
Parameterization and Initialization of Diagonal State Space Models*.
"""

import math
from typing import Literal

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.linear_recurrence import read_steps
from shared.nn.sequence_inputs import check_sequence
from shared.nn.sequence_model import State

Tokens = Float[Tensor, "batch tokens d_model"]
Memory = Complex[Tensor, "batch d_model modes"]
Modes = Complex[Tensor, "d_model modes"]


def convolve(x: Tokens, kernel: Float[Tensor, "d_model tokens"]) -> Tokens:
    """Return y_t = sum over s of kernel_s x_{t-s}, for each feature by itself, by products of Fourier transforms.

    A Fourier transform takes the text for a circle, and what runs over the end would come in at the beginning: the
    future would reach the past. So both are filled up with as many zeros as they have tokens.
    """
    size = 2 * x.shape[1]
    spectrum = torch.fft.rfft(x.mT, size) * torch.fft.rfft(kernel, size)  # (batch, d_model, tokens + 1)
    return torch.fft.irfft(spectrum, size)[..., : x.shape[1]].mT


def zero_order_hold(step: Float[Tensor, " d_model"], poles: Modes) -> tuple[Modes, Modes]:
    """Return decay = exp(dt A) and scale = (exp(dt A) - 1) / A of the recurrence h_k = decay h_{k-1} + scale x_k.

    Args:
        step: dt, the time from token to token, for each feature.
        poles: A, not zero.
    """
    decay = (step.unsqueeze(-1) * poles).exp()
    return decay, (decay - 1) / poles


class S4D(nn.Module):
    """A layer of S4D: every feature has a state space of its own, then GELU and a linear map over the features.

    The eigenvalues begin at -1/2 + i pi n, n = 0, 1, … (S4D-Lin, section 4.3): mode n is a damped wave of n half turns
    per unit of time. Of two conjugate modes one is kept, and the real part is taken twice.

    Args:
        d_model: features of a token.
        d_state: real numbers of each feature's state, an even number: half as many complex modes.
        way: convolution, or how the recurrence is read (tokens, scan, chunks). With a mask a convolution becomes
            chunks, for padding is a place where the recurrence stands still.
    """

    def __init__(
        self, d_model: int, d_state: int, way: Literal["convolution", "tokens", "scan", "chunks"] = "convolution"
    ) -> None:
        super().__init__()
        if d_model < 1 or d_state < 2 or d_state % 2:
            rule = "d_model must be at least 1, and d_state even: each mode has two numbers"
            raise ValueError(f"{rule}; got {d_model} and {d_state}")
        self.d_model, self.modes, self.way = d_model, d_state // 2, way
        shape = (d_model, self.modes)
        self.log_step = nn.Parameter(torch.empty(d_model).uniform_(math.log(1e-3), math.log(1e-1)))
        self.log_damping = nn.Parameter(torch.full(shape, math.log(0.5)))
        self.frequency = nn.Parameter(math.pi * torch.arange(self.modes).expand(shape).to(self.log_step.dtype).clone())
        self.readout = nn.Parameter(torch.randn(*shape, 2) / math.sqrt(2))  # C: real and imaginary part, B is 1
        self.skip = nn.Parameter(torch.randn(d_model))
        self.output = nn.Linear(d_model, d_model)

    def recurrence(self) -> tuple[Modes, Modes, Modes]:
        """Return for each feature and mode the decay, what an input is multiplied by, and the readout."""
        poles = torch.complex(-self.log_damping.exp(), self.frequency)
        return *zero_order_hold(self.log_step.exp(), poles), torch.view_as_complex(self.readout)

    def powers(self, exponents: Tensor) -> Complex[Tensor, "d_model modes powers"]:
        """Return decay^exponent for each exponent."""
        poles = torch.complex(-self.log_damping.exp(), self.frequency)
        return (self.log_step.exp()[:, None, None] * poles.unsqueeze(-1) * exponents).exp()

    def kernel(self, tokens: int) -> Float[Tensor, "d_model tokens"]:
        """Return the answer to a single 1: K_k = 2 Re(sum over modes of C decay^k scale)."""
        _, scale, readout = self.recurrence()
        exponents = torch.arange(tokens, device=scale.device)
        return 2 * torch.einsum("dn,dnk->dk", readout * scale, self.powers(exponents)).real

    def by_convolution(self, x: Tokens, state: Memory | None) -> tuple[Tokens, Memory]:
        """Return the answer of the state space and its last state, without any state in between."""
        _, scale, readout = self.recurrence()
        powers = self.powers(torch.arange(x.shape[1] + 1, device=x.device))
        inputs = x.flip(1).to(powers.dtype)  # the last token is multiplied by decay^0
        last = torch.einsum("bkd,dnk->bdn", inputs, powers[..., :-1]) * scale
        answer = convolve(x, self.kernel(x.shape[1]))
        if state is not None:
            last = last + powers[..., -1] * state
            answer = answer + 2 * torch.einsum("dn,dnk,bdn->bkd", readout, powers[..., 1:], state).real
        return answer, last

    def by_recurrence(self, x: Tokens, state: Memory | None, mask: Tensor | None) -> tuple[Tokens, Memory]:
        """Return the same from all states, (batch, tokens, d_model, modes)."""
        decay, scale, readout = self.recurrence()
        way = "chunks" if self.way == "convolution" else self.way
        decays = decay.expand(*x.shape[:2], -1, -1)
        states, last = read_steps(way, decays, scale * x.unsqueeze(-1), state, mask)
        return 2 * (readout * states).sum(dim=-1).real, last

    def forward(
        self, x: Tokens, state: State | None = None, mask: Bool[Tensor, "batch tokens"] | None = None
    ) -> tuple[Tokens, State]:
        """Return the outputs and the state, complex, behind the last token; see `SequenceLayer`."""
        check_sequence(x, self.d_model, state, [(self.d_model, self.modes)], mask)
        before = None if state is None else state[0]
        if self.way == "convolution" and mask is None:
            answer, last = self.by_convolution(x, before)
        else:
            answer, last = self.by_recurrence(x, before, mask)
        output = self.output(functional.gelu(answer + self.skip * x))
        return output if mask is None else output.masked_fill(~mask.unsqueeze(-1), 0.0), (last,)
