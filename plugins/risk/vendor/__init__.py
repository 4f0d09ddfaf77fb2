"""The vendor's API as a source of fills: its answers become a file drop, which passes the same checks as any other."""

from risk.vendor.client import Client, Patience
from risk.vendor.loading import load_vendor
from risk.vendor.pace import Pace
from risk.vendor.place import CONNECTION_ID, Place, place_of, read_place

__all__ = ["CONNECTION_ID", "Client", "Pace", "Patience", "Place", "load_vendor", "place_of", "read_place"]
