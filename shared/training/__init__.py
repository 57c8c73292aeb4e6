"""Training any model: loop, optimizers, losses, checkpoints."""
