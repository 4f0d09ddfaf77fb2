"""The forecast: the 5% quantile of each account's next P&L, and the test that decides whether it may serve."""
