create table derived.features (
    account_id text not null,
    session_date date not null references risk.sessions (session_date),
    feature_set_version text not null,
    last_z double precision,
    mean_z_3 double precision,
    mean_z_5 double precision,
    mean_z_10 double precision,
    mean_z_20 double precision,
    scale_ratio_5_20 double precision,
    scale_ratio_10_60 double precision,
    win_rate_5 double precision,
    win_rate_20 double precision,
    loss_streak double precision,
    sessions_since_peak double precision,
    drawdown double precision,
    worst_z_5 double precision,
    worst_z_20 double precision,
    trades_against_norm double precision,
    volume_against_norm double precision,
    volatility_ratio_1 double precision,
    volatility_ratio_2 double precision,
    volatility_ratio_4 double precision,
    volatility_ratio_11 double precision,
    volatility_ratio_200 double precision,
    loss_ratio_1 double precision,
    loss_ratio_3 double precision,
    large_loss_share_1 double precision,
    large_loss_share_4 double precision,
    trades_ratio_0_60 double precision,
    trades_ratio_1_60 double precision,
    trades_ratio_3_60 double precision,
    fees_per_turnover double precision,
    enlarging_share_0 double precision,
    enlarging_share_3 double precision,
    holding_against_norm double precision,
    sessions_absent double precision,
    weekday double precision,
    market_loser_share double precision,
    market_mean_z double precision,
    market_dispersion double precision,
    market_size_ratio_1 double precision,
    market_size_ratio_4 double precision,
    market_size_ratio_15 double precision,
    market_trades_ratio_1 double precision,
    market_trades_ratio_5 double precision,
    market_active_count double precision,
    early_pnl_share double precision,
    late_pnl_share double precision,
    symbol_concentration double precision,
    overnight_exposure double precision,
    primary key (account_id, session_date)
);

comment on table derived.features is
'Scale-free features known after a session''s close, for the next session. A cache: rebuilt from daily_pnl. '
'Grain: one row per account and session, for the 30 sessions from its last active one on. '
'One column per feature of risk.model.features; null = not defined.';
comment on column derived.features.account_id is 'Account.';
comment on column derived.features.session_date is 'Session the row belongs to.';
comment on column derived.features.feature_set_version is
'Names the formulas that computed the row; predict_limits refuses rows of other formulas.';
comment on column derived.features.last_z is 'P&L of the last session (own scales).';
comment on column derived.features.mean_z_3 is 'Mean P&L of the last 3 sessions (own scales).';
comment on column derived.features.mean_z_5 is 'Mean P&L of the last 5 sessions (own scales).';
comment on column derived.features.mean_z_10 is 'Mean P&L of the last 10 sessions (own scales).';
comment on column derived.features.mean_z_20 is 'Mean P&L of the last 20 sessions (own scales).';
comment on column derived.features.scale_ratio_5_20 is 'Scale of 5 sessions against that of 20 (ratio).';
comment on column derived.features.scale_ratio_10_60 is 'Scale of 10 sessions against that of 60 (ratio).';
comment on column derived.features.win_rate_5 is 'Share of gains in the last 5 sessions (ratio).';
comment on column derived.features.win_rate_20 is 'Share of gains in the last 20 sessions (ratio).';
comment on column derived.features.loss_streak is 'Losing sessions in a row (sessions).';
comment on column derived.features.sessions_since_peak is 'Sessions since the peak of P&L (sessions).';
comment on column derived.features.drawdown is 'Fall of cumulative P&L from its peak (own scales).';
comment on column derived.features.worst_z_5 is 'Worst P&L of the last 5 sessions (own scales).';
comment on column derived.features.worst_z_20 is 'Worst P&L of the last 20 sessions (own scales).';
comment on column derived.features.trades_against_norm is 'Fills against the 20 sessions before (ratio).';
comment on column derived.features.volume_against_norm is 'Volume against the 20 sessions before (ratio).';
comment on column derived.features.volatility_ratio_1 is 'Size of P&L, half-life 1 sessions (own scales).';
comment on column derived.features.volatility_ratio_2 is 'Size of P&L, half-life 2 sessions (own scales).';
comment on column derived.features.volatility_ratio_4 is 'Size of P&L, half-life 4 sessions (own scales).';
comment on column derived.features.volatility_ratio_11 is 'Size of P&L, half-life 11 sessions (own scales).';
comment on column derived.features.volatility_ratio_200 is 'Size of P&L, half-life 200 sessions (own scales).';
comment on column derived.features.loss_ratio_1 is 'Size of losses, half-life 1 session (own scales).';
comment on column derived.features.loss_ratio_3 is 'Size of losses, half-life 3 sessions (own scales).';
comment on column derived.features.large_loss_share_1 is 'Share of large losses, half-life 1 (ratio).';
comment on column derived.features.large_loss_share_4 is 'Share of large losses, half-life 4 (ratio).';
comment on column derived.features.trades_ratio_0_60 is 'Fills of the last session against the norm (ratio).';
comment on column derived.features.trades_ratio_1_60 is 'Fills, half-life 1, against the norm (ratio).';
comment on column derived.features.trades_ratio_3_60 is 'Fills, half-life 3, against the norm (ratio).';
comment on column derived.features.fees_per_turnover is 'Fees against gross turnover (ratio).';
comment on column derived.features.enlarging_share_0 is 'Share of fills that enlarged a losing position (ratio).';
comment on column derived.features.enlarging_share_3 is 'The same, half-life 3 sessions (ratio).';
comment on column derived.features.holding_against_norm is 'Holding time against the 20 sessions before (ratio).';
comment on column derived.features.sessions_absent is 'Sessions since the last active one (sessions).';
comment on column derived.features.weekday is 'Weekday of the next session (0 = Monday).';
comment on column derived.features.market_loser_share is 'Share of losing traders in the session (ratio).';
comment on column derived.features.market_mean_z is 'Mean P&L of the traders in the session (own scales).';
comment on column derived.features.market_dispersion is
'Spread of P&L between the traders in the session (own scales).';
comment on column derived.features.market_size_ratio_1 is
'Size of all traders'' P&L, half-life 1 sessions (own scales).';
comment on column derived.features.market_size_ratio_4 is
'Size of all traders'' P&L, half-life 4 sessions (own scales).';
comment on column derived.features.market_size_ratio_15 is
'Size of all traders'' P&L, half-life 15 sessions (own scales).';
comment on column derived.features.market_trades_ratio_1 is
'Fills of all traders against their norms, half-life 1 sessions (ratio).';
comment on column derived.features.market_trades_ratio_5 is
'Fills of all traders against their norms, half-life 5 sessions (ratio).';
comment on column derived.features.market_active_count is 'Traders active in the session (traders).';
comment on column derived.features.early_pnl_share is 'Share of the first hour in P&L (ratio, signed).';
comment on column derived.features.late_pnl_share is 'Share of the last hour in P&L (ratio, signed).';
comment on column derived.features.symbol_concentration is 'Concentration on few symbols (ratio).';
comment on column derived.features.overnight_exposure is 'Positions at the close against usual turnover (ratio).';
