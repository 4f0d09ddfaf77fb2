"""Evidence for people outside the firm: the examiner's pack."""
