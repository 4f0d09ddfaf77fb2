-- Daily P&L by the vendor's method, the newest knowledge. A cache: rebuilt from fills and marks at will.
-- Grain: one row per account-session with fills or a carried position. Reads: -. Writes: daily_pnl. Binds: -.
-- Money: US dollars, gains positive, fees positive = cost; null where the books are incomplete. Rerun: applied once.
-- delivery_id: the delivery whose fills the row was built from; null for a carried position without fills.
-- incomplete_reason: sentences for people on what is unknown and what to do.
create table daily_pnl (
    account_id text not null,
    session_date date not null references sessions (session_date),
    delivery_id bigint references deliveries (delivery_id),
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
    primary key (account_id, session_date),
    check ((incomplete_reason is null) = (total_pnl_usd is not null))
);
