"""`python -m bridge.cli` is the command `bridge`."""

from bridge.cli import main

main()
