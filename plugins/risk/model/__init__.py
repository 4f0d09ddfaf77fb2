"""The forecast: the 5% quantile of each account's next P&L, and the gate that decides whether it is used."""
