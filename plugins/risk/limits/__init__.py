"""Limits: rules, decisions, approvals, publication and the track record of past cuts."""
