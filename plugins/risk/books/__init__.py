"""Books: fills and marks become positions and daily P&L by the vendor's method."""
