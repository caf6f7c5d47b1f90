"""The operating system: files and the terminal. Nothing here depends on a network."""
