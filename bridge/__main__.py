"""`python -m bridge` is `ack-bridge`."""

from bridge.cli.app import main

main()
