"""The operating system: files, threads and the terminal. Nothing here depends on a network."""
