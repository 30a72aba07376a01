"""``python -m kinesics``."""

from kinesics.cli import main

main()
