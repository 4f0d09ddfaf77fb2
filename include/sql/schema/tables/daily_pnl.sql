create table derived.daily_pnl (
    account_id text not null,
    session_date date not null references risk.sessions (session_date),
    input_fingerprint bigint,
    fill_count bigint not null,
    volume numeric not null,
    turnover_usd numeric,
    gross_pnl_usd numeric,
    fees_usd numeric not null,
    net_pnl_usd numeric,
    unrealized_pnl_usd numeric,
    unrealized_delta_usd numeric,
    total_pnl_usd numeric,
    incomplete_reason text,
    early_pnl_usd numeric,
    late_pnl_usd numeric,
    holding_seconds numeric,
    adds_to_loser_count bigint,
    concentration_ratio numeric,
    overnight_usd numeric,
    primary key (account_id, session_date),
    check ((incomplete_reason is null) = (total_pnl_usd is not null))
);

comment on table derived.daily_pnl is
'Daily P&L by the vendor''s method, as currently known. A cache: rebuilt from fills and marks. Grain: one row '
'per account-session with fills or a carried position.';
comment on column derived.daily_pnl.account_id is 'Account.';
comment on column derived.daily_pnl.session_date is 'Session the row belongs to.';
comment on column derived.daily_pnl.input_fingerprint is
'Fingerprint of the deliveries the row was built from, see book_inputs; null for a carried position without '
'fills.';
comment on column derived.daily_pnl.fill_count is 'Fills of the session.';
comment on column derived.daily_pnl.volume is 'Shares or contracts traded.';
comment on column derived.daily_pnl.turnover_usd is 'Traded value in US dollars; null = unknown.';
comment on column derived.daily_pnl.gross_pnl_usd is
'Realized P&L before fees, US dollars, gains positive; null where the books are incomplete.';
comment on column derived.daily_pnl.fees_usd is 'Fees in US dollars, positive = cost.';
comment on column derived.daily_pnl.net_pnl_usd is 'gross_pnl_usd less fees_usd.';
comment on column derived.daily_pnl.unrealized_pnl_usd is 'Unrealized P&L of all positions at the close, US dollars.';
comment on column derived.daily_pnl.unrealized_delta_usd is 'Change of unrealized_pnl_usd since the session before.';
comment on column derived.daily_pnl.total_pnl_usd is 'net_pnl_usd plus unrealized_delta_usd.';
comment on column derived.daily_pnl.incomplete_reason is
'What is unknown and what to do, as sentences; null = complete.';
comment on column derived.daily_pnl.early_pnl_usd is 'P&L before fees of the first hour, US dollars; null = unknown.';
comment on column derived.daily_pnl.late_pnl_usd is 'P&L before fees of the last hour, US dollars; null = unknown.';
comment on column derived.daily_pnl.holding_seconds is
'Seconds that closed quantities were held, times the quantity; null = unknown.';
comment on column derived.daily_pnl.adds_to_loser_count is 'Fills that added to a losing position; null = unknown.';
comment on column derived.daily_pnl.concentration_ratio is
'Herfindahl index of the turnover by symbol: squared shares, summed; null = unknown.';
comment on column derived.daily_pnl.overnight_usd is 'Value of all positions at the close, US dollars; null = unknown.';
