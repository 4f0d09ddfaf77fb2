"""The desk as a whole: patterns between traders' fills, correlations, and what a run stores of them."""
