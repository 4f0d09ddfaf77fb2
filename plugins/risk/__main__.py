"""Run the command line: ``python -m risk``."""

from risk.cli import main

main()
