"""The vendor's API as a source of fills: its responses become a folder that passes the same checks as any other."""
