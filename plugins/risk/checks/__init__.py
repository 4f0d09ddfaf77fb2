"""Data quality checks of a session, before anything is computed from its fills."""
