"""Ingest: from a source's files, query or API to fills and reference data in the warehouse."""
