#!/bin/sh
# The command line of the product inside the image.
exec python -m risk "$@"
