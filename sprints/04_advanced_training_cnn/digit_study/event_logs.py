"""What TensorBoard shows of a run: curves, a batch as training sees it, weights and gradients, the network's graph."""

import warnings
from collections.abc import Mapping
from pathlib import Path

from torch import nn
from torch.utils.tensorboard import SummaryWriter
from torchvision.utils import make_grid

from digit_study.images import Images


class EventLog:
    """Writes event files for TensorBoard to a folder, or nothing at all if there is none.

    What an earlier run has written to the same folder is hidden.
    """

    def __init__(self, folder: Path | None) -> None:
        self.writer = None if folder is None else SummaryWriter(str(folder), purge_step=0)

    def start(self, network: nn.Module, batch: Images) -> None:
        """Write a batch as training sees it, and the graph of the network."""
        if self.writer is None:
            return
        self.writer.add_image("augmented", make_grid(batch.pixels.cpu(), nrow=8, pad_value=1), 0)
        with warnings.catch_warnings():
            # The graph is drawn by torch.jit.trace, which announces its end.
            warnings.simplefilter("ignore", FutureWarning)
            self.writer.add_graph(network.eval(), batch.pixels[:1])

    def evaluation(self, network: nn.Module, step: int, scalars: Mapping[str, float]) -> None:
        """Write a point of each curve, and how weights and gradients are distributed."""
        if self.writer is None:
            return
        for name, value in scalars.items():
            self.writer.add_scalar(name, value, step)
        for name, weight in network.named_parameters():
            self.writer.add_histogram(f"weight/{name}", weight.detach(), step)
            self.writer.add_histogram(f"gradient/{name}", weight.grad, step)

    def close(self) -> None:
        """Write what is still held back."""
        if self.writer is not None:
            self.writer.close()
