"""What does nn.Module do? A Module of our own, with layers of our own, beside the library's.

    uv run sprints/03_models_and_training_loops/module_from_inside.py

Two networks, one on top of Module and one of PyTorch's layers on top of nn.Module, start from the same state and train
on the same digits in float64: names, hook calls, losses, outputs and states must agree. Theory: notes/03_modules.md
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.hooks import RemovableHandle

from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.digits import load_flat_digits
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

REGISTERS = ("_parameters", "_buffers", "_modules")


@dataclass(frozen=True)
class Config(ScriptConfig):
    hidden: PositiveInt = 32  # hidden units
    steps: PositiveInt = 100  # optimizer steps


@dataclass(frozen=True)
class Results:
    parameters: int
    state: list[str]
    first_loss: float
    last_loss: float
    mode_changes_output: float
    same_names: bool
    same_hook_calls: bool
    hook_calls: int
    differences: dict[str, float]


class Module:
    """A base class that registers what is assigned to it: parameters, buffers and child modules, each by its name.

    What nn.Module has besides: moving to a device or type, more kinds of hooks, None in place of a parameter.
    """

    def __init__(self) -> None:
        self._parameters: dict[str, nn.Parameter] = {}
        self._buffers: dict[str, Tensor] = {}
        self._modules: dict[str, Module] = {}
        self._hooks: OrderedDict[int, Callable] = OrderedDict()
        self.training = True

    def __setattr__(self, name: str, value: Any) -> None:
        taken = next((register for register in REGISTERS if name in self.__dict__.get(register, {})), None)
        kind = "_parameters" if isinstance(value, nn.Parameter) else "_modules" if isinstance(value, Module) else None
        if kind and kind not in self.__dict__:
            raise AttributeError(f"super().__init__() must run before {name} is assigned: it makes the registers")
        if taken == "_buffers" and kind is None and isinstance(value, Tensor):
            kind = taken
        if taken and kind is None:
            raise TypeError(f"{name} stands in {taken} and must stay of its kind; got {type(value).__name__}")
        if taken and taken != kind:
            del self.__dict__[taken][name]
        if kind is None:
            object.__setattr__(self, name, value)
        else:
            self.__dict__.pop(name, None)
            self.__dict__[kind][name] = value

    def __getattr__(self, name: str) -> Any:
        # Python asks here only for names that are in none of the usual places: what is registered is in none of them.
        for register in REGISTERS:
            if name in self.__dict__.get(register, {}):
                return self.__dict__[register][name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name}")

    def register_buffer(self, name: str, tensor: Tensor) -> None:
        """Register a tensor that belongs to the state and is not trained."""
        self._buffers[name] = tensor

    def named_modules(self, path: str = "") -> Iterator[tuple[str, "Module"]]:
        """Yield this module and all below it, parents first, with their paths."""
        yield path, self
        for name, child in self._modules.items():
            yield from child.named_modules(f"{path}.{name}" if path else name)

    def _named(self, *registers: str) -> Iterator[tuple[str, Any]]:
        for path, module in self.named_modules():
            for register in registers:
                for name, tensor in module.__dict__[register].items():
                    yield f"{path}.{name}" if path else name, tensor

    def named_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield each parameter once, also one that two modules share: an optimizer must not step it twice."""
        seen: set[nn.Parameter] = set()
        for name, parameter in self._named("_parameters"):
            if parameter not in seen:
                seen.add(parameter)
                yield name, parameter

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield each parameter once."""
        yield from (parameter for _, parameter in self.named_parameters())

    def state_dict(self) -> dict[str, Tensor]:
        """Return parameters and buffers by name. They are no copies: they share the module's memory."""
        return {name: tensor.detach() for name, tensor in self._named("_parameters", "_buffers")}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Copy a state into this module.

        Raises:
            ValueError: names or shapes are not those of this module; nothing has been copied then.
        """
        own = self.state_dict()
        missing, unexpected = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
        reshaped = sorted(name for name in own.keys() & state.keys() if own[name].shape != state[name].shape)
        if missing or unexpected or reshaped:
            raise ValueError(
                f"a state must have the module's names and shapes; missing {missing}, unexpected {unexpected}, "
                f"of another shape {reshaped}: build the module as it was when the state was saved"
            )
        for name, tensor in own.items():
            tensor.copy_(state[name])

    def train(self, mode: bool = True) -> "Module":
        """Set training mode, or evaluation mode, in this module and all below it."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> "Module":
        """Set evaluation mode."""
        return self.train(False)

    def register_forward_hook(self, hook: Callable) -> RemovableHandle:
        """Call hook(module, inputs, output) after each call; what it returns replaces the output, unless it is None."""
        handle = RemovableHandle(self._hooks)
        self._hooks[handle.id] = hook
        return handle

    def __call__(self, *inputs: Any) -> Any:
        output = self.forward(*inputs)
        for hook in list(self._hooks.values()):
            changed = hook(self, inputs, output)
            output = output if changed is None else changed
        return output


class Linear(Module):
    """As nn.Linear, in float64."""

    def __init__(self, inputs: int, outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        weight = torch.randn(outputs, inputs, generator=generator, dtype=torch.float64)
        self.weight = nn.Parameter(weight / inputs**0.5)
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=torch.float64))

    def forward(self, features: Tensor) -> Tensor:
        return features @ self.weight.T + self.bias


class BatchNorm(Module):
    """As nn.BatchNorm1d, in float64: it has buffers, and does something else in training mode."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features, dtype=torch.float64))
        self.bias = nn.Parameter(torch.zeros(features, dtype=torch.float64))
        self.register_buffer("running_mean", torch.zeros(features, dtype=torch.float64))
        self.register_buffer("running_var", torch.ones(features, dtype=torch.float64))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, features: Tensor) -> Tensor:
        mean, variance = self.running_mean, self.running_var
        if self.training:
            mean, variance = features.mean(0), features.var(0, correction=0)
            self.running_mean = 0.9 * self.running_mean + 0.1 * mean.detach()
            self.running_var = 0.9 * self.running_var + 0.1 * features.detach().var(0)
            self.num_batches_tracked = self.num_batches_tracked + 1
        return (features - mean) / (variance + 1e-5).sqrt() * self.weight + self.bias


class Network(Module):
    """A hidden layer with batch normalisation and dropout."""

    def __init__(self, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.hidden, self.norm = Linear(64, hidden, generator), BatchNorm(hidden)
        self.output = Linear(hidden, 10, generator)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.output(functional.dropout(self.norm(self.hidden(pixels)).relu(), 0.2, self.training))


def library_network(hidden: int) -> nn.Module:
    """Return the same network on top of nn.Module, of PyTorch's layers."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        hidden=nn.Linear(64, hidden),
        norm=nn.BatchNorm1d(hidden),
        relu=nn.ReLU(),
        dropout=nn.Dropout(0.2),
        output=nn.Linear(hidden, 10),
    )
    return nn.Sequential(layers).double()


def train(network: Any, config: Config) -> dict[str, Any]:
    """Train on digits and return what the network says of itself: names, hook calls, losses, outputs, state."""
    pixels, labels = load_flat_digits()
    pixels, calls, losses = pixels.double(), [], []
    for name, module in network.named_modules():
        if name in ("hidden", "norm", "output"):
            module.register_forward_hook(lambda _, __, output, name=name: calls.append((name, tuple(output.shape))))
    torch.manual_seed(config.seed)  # dropout draws from the global generator
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for step in range(config.steps):
        batch = slice(step * 64 % 1024, step * 64 % 1024 + 64)
        loss = functional.cross_entropy(network(pixels[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        output, in_training_mode = network.eval()(pixels), network.train()(pixels)
    return {
        "names": [[name for name, _ in network.named_parameters()], list(network.state_dict())],
        "hook calls": calls,
        "losses": torch.tensor(losses, dtype=torch.float64),
        "outputs": output,
        "outputs in training mode": in_training_mode,
        "state": torch.cat([tensor.flatten() for tensor in network.state_dict().values()]),
    }


def main(config: Config) -> Results:
    ours, theirs = Network(config.hidden, seed_everything(config.seed)), library_network(config.hidden)
    state = list(ours.state_dict())
    theirs.load_state_dict(ours.state_dict())
    seen, expected = train(ours, config), train(theirs, config)
    compared = ("losses", "outputs", "outputs in training mode", "state")
    results = Results(
        parameters=sum(parameter.numel() for parameter in ours.parameters()),
        state=state,
        first_loss=seen["losses"][0].item(),
        last_loss=seen["losses"][-1].item(),
        mode_changes_output=(seen["outputs"] - seen["outputs in training mode"]).abs().max().item(),
        same_names=seen["names"] == expected["names"],
        same_hook_calls=seen["hook calls"] == expected["hook calls"],
        hook_calls=len(seen["hook calls"]),
        differences={key: (seen[key] - expected[key]).abs().max().item() for key in compared},
    )
    print(f"{results.parameters:,} parameters; the state: {', '.join(state)}")
    print(f"loss {results.first_loss:.3f}, after {config.steps} steps {results.last_loss:.3f}")
    print(f"names as on nn.Module: {results.same_names}; {results.hook_calls} hook calls: {results.same_hook_calls}")
    for key, difference in results.differences.items():
        print(f"{key + ' differ by at most':<44}{difference:.1e}")
    return results


if __name__ == "__main__":
    run(main, Config, tolerance={"state.*": EXACT})
