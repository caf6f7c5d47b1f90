"""Training: losses, optimizers, metrics and the training loop."""
