"""Scale-free features: what is known about every account after a session's close, for the next session."""
