"""The experts: models that each forecast the 5% quantile of the next P&L."""
