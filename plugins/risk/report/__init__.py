"""The morning report, alerts and the weekly digest: facts, pages, mail."""
