"""Run a command of the local stack: ``python -m devstack up``."""

from devstack.commands import main

main()
