-- Tells the planner how large the books have become; without that the second way of computing them takes many times as
-- long, until Postgres finds it out by itself.
-- Grain: -. Reads: positions, daily_pnl, last_fills. Writes: -. Binds: -. Money: -. Rerun: changes nothing.
-- Of positions only what is joined, grouped by or a condition: the lots are long.
analyze derived.positions (
    account_id,
    session_date,
    symbol,
    currency,
    quantity,
    multiplier,
    rate,
    split_ratio,
    split_quantity,
    expired_quantity,
    side_conflicts
),
derived.daily_pnl,
derived.last_fills;
