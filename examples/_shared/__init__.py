"""Parts that several scripts use."""
