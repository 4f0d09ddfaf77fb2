"""Run the stack's commands alone: ``python -m risk.stack up``."""

from risk.stack.commands import main

main()
