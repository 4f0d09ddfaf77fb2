"""The sources of fills: a folder, a Postgres query, the vendor's API."""
