-- What the next session may bring, beside the recommendation made from it.
-- Grain: as recommendations. Reads: -. Writes: recommendations. Binds: -. Rerun: applied once.
-- Money: US dollars; quantiles at 1, 5, 10, 25, 50, 75 and 95 %, ascending; shortfall a positive loss.
-- Null = no forecast. loss_probability: of a loss beyond the base limit.
alter table recommendations
add column forecast_fan_usd numeric(18, 2)[],
add column expected_shortfall_usd numeric(18, 2),
add column loss_probability numeric(6, 5);
